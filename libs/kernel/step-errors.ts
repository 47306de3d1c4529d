import type { StepError, StepOutcome } from "./operation.ts";

/** Thrown by an effect that can never succeed: the operation stops for good. */
export class TerminalError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "TerminalError";
    this.code = code;
  }
}

/** Thrown by an effect that knows when another attempt makes sense. */
export class RetryAfterError extends Error {
  readonly code: string;
  readonly retryAfterMs: number;

  constructor(code: string, message: string, retryAfterMs: number) {
    super(message);
    this.name = "RetryAfterError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a thrown error means for the step: anything unknown is worth another attempt. */
export function outcomeOfError(thrown: unknown): StepOutcome {
  if (thrown instanceof TerminalError) return { kind: "terminal", error: toStepError(thrown, thrown.code) };
  if (thrown instanceof RetryAfterError) {
    return { kind: "retry", error: toStepError(thrown, thrown.code), retryAfterMs: thrown.retryAfterMs };
  }
  return { kind: "retry", error: toStepError(thrown, "effect_failed") };
}

function toStepError(thrown: unknown, code: string): StepError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code, message: message.slice(0, 500) };
}
