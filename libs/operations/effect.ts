import type { OperationRun, StepOutput, StepSpec } from "#kernel";

/** What an effect is given. */
export interface StepContext {
  readonly subjectId: string;
  readonly run: OperationRun;
  readonly step: StepSpec;
  /** The idempotency key: the same for every attempt of this step, before and after a crash. */
  readonly key: string;
  /** Fires at the attempt's deadline, when the operation is cancelled and when the runner stops. */
  readonly signal: AbortSignal;
  /** What earlier steps of this run left, by step name. */
  readonly outputs: Readonly<Record<string, StepOutput>>;
}

/**
 * Does a step's work in the world. It may be called again with the same key, after a crash at any point, and must then
 * find what the call before it left. Throws `TerminalError` for never, `RetryAfterError` for later, else for again.
 */
export type Effect = (step: StepContext) => Promise<StepOutput>;

/** The effects that this process knows, by step name. */
export type Effects = Readonly<Record<string, Effect>>;
