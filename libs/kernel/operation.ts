/**
 * An operation is durable work with side effects: a list of steps that is written down when it starts and never
 * changes afterwards, so that a deploy cannot change a running one. Each step's outcome is appended before the next
 * step begins (I2). This file is the pure half: what a run looks like and how outcomes change it. The runner
 * (`libs/operations`) performs the effects.
 */
export interface OperationRun {
  readonly id: string;
  /** What is being done: "create", "start", "drain"… */
  readonly kind: string;
  readonly steps: readonly StepSpec[];
  /** Outcomes of the steps done so far, in step order. */
  readonly outputs: readonly StepOutput[];
  /** Failed attempts of the current step. */
  readonly attempts: number;
  /** The last failure of the current step. */
  readonly lastError?: StepError;
  /** The pause that the last failure asked for, in place of the step's own backoff. */
  readonly retryAfterMs?: number;
  /** Epoch milliseconds of the decision that began it. */
  readonly startedAtMs: number;
  /** The operation that waits for this one. */
  readonly parentId?: string;
  /** Set once somebody asked for it to be given up. */
  readonly cancelledBy?: string;
}

/** One frozen step. All that the runner needs to know is in here, not in the code of the day. */
export interface StepSpec {
  readonly name: string;
  /** What the step works on. Plain JSON; refers to secrets, never holds them. */
  readonly input?: unknown;
  /** Time for one attempt. */
  readonly timeoutMs: number;
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  /** Pause before the second attempt; doubles each time, up to 30 s. */
  readonly backoffMs: number;
  /** Pause before the first attempt: a restart's backoff. */
  readonly delayMs?: number;
}

/** What a finished step left behind for later steps and for readers. Plain JSON. */
export type StepOutput = Readonly<Record<string, unknown>> | null;

/** Why an attempt failed. */
export interface StepError {
  readonly code: string;
  readonly message: string;
}

/** What an attempt ended in, as the runner reports it to the decider. */
export type StepOutcome =
  | { readonly kind: "completed"; readonly output: StepOutput }
  /** Try again, after `retryAfterMs` or the step's own backoff. */
  | { readonly kind: "retry"; readonly error: StepError; readonly retryAfterMs?: number }
  /** Never try again. */
  | { readonly kind: "terminal"; readonly error: StepError };

const MAX_BACKOFF_MS = 30_000;

/** The step whose outcome is not recorded yet; undefined when all are done. */
export function currentStep(run: OperationRun): StepSpec | undefined {
  return run.steps[run.outputs.length];
}

/**
 * The idempotency key of the current step: the same before and after a crash, different for every other step of
 * every other run. Attempts share it: a retry must find what the attempt before it left.
 */
export function stepKey(run: OperationRun): string {
  return `${run.id}.${run.outputs.length}`;
}

/** Whether the current step has used up its attempts. */
export function isExhausted(run: OperationRun): boolean {
  const step = currentStep(run);
  return step !== undefined && run.attempts >= step.maxAttempts;
}

/** How long to wait before the next attempt of the current step, in milliseconds. */
export function delayBeforeAttemptMs(run: OperationRun): number {
  const step = currentStep(run);
  if (step === undefined) return 0;
  if (run.attempts === 0) return step.delayMs ?? 0;
  if (run.retryAfterMs !== undefined) return Math.min(MAX_BACKOFF_MS, run.retryAfterMs);
  return Math.min(MAX_BACKOFF_MS, step.backoffMs * 2 ** (run.attempts - 1));
}

/** The run after its current step completed. */
export function withOutput(run: OperationRun, output: StepOutput): OperationRun {
  const { lastError: _, retryAfterMs: __, ...rest } = run;
  return { ...rest, outputs: [...run.outputs, output], attempts: 0 };
}

/** The run after an attempt of its current step failed. */
export function withFailure(run: OperationRun, error: StepError, retryAfterMs?: number): OperationRun {
  const { retryAfterMs: _, ...rest } = run;
  return {
    ...rest,
    attempts: run.attempts + 1,
    lastError: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** The output of a step by its name, once it completed. */
export function outputOf(run: OperationRun, stepName: string): StepOutput | undefined {
  const index = run.steps.findIndex((step) => step.name === stepName);
  return index < 0 ? undefined : run.outputs[index];
}

/** What an unfinished operation waits for, for people: which step, since when, why (I9). */
export interface WaitingFor {
  readonly operationId: string;
  readonly kind: string;
  readonly step: string;
  readonly attempt: number;
  readonly sinceMs: number;
  readonly lastError?: StepError;
}

/** Says what the run waits for. `sinceMs` is when its last recorded outcome was appended, in epoch milliseconds. */
export function waitingFor(run: OperationRun, sinceMs: number): WaitingFor | undefined {
  const step = currentStep(run);
  if (step === undefined) return undefined;
  return {
    operationId: run.id,
    kind: run.kind,
    step: step.name,
    attempt: run.attempts + 1,
    sinceMs,
    ...(run.lastError === undefined ? {} : { lastError: run.lastError }),
  };
}
