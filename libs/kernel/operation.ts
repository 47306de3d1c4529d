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
  /** Epoch milliseconds of its last recorded outcome, or of its beginning: since when it waits for its current step. */
  readonly sinceMs: number;
  /** The operation that waits for this one: its last act was to begin it. */
  readonly parentId?: string;
  readonly parentKind?: string;
  /** What the command that began it belongs to: a request's id. All events of the run are found by it. */
  readonly correlationId?: string;
}

/** An operation as it is written down when it begins. */
export type OperationBeginning = Omit<
  OperationRun,
  "outputs" | "attempts" | "sinceMs" | "lastError" | "retryAfterMs"
>;

/** The run that a beginning opens. */
export function openRun(beginning: OperationBeginning): OperationRun {
  return { ...beginning, outputs: [], attempts: 0, sinceMs: beginning.startedAtMs };
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

/**
 * Names one attempt of one step: an outcome that is reported under it is recorded at most once, however often the
 * report is repeated.
 */
export function attemptKey(run: OperationRun): string {
  return `${stepKey(run)}.${run.attempts}`;
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
  const doublings = Math.min(run.attempts - 1, 30);
  const pauseMs = run.retryAfterMs ?? step.backoffMs * 2 ** doublings;
  return Math.max(0, Math.min(MAX_BACKOFF_MS, pauseMs));
}

/** The run after its current step completed. `atMs`: when that was recorded, epoch milliseconds. */
export function withOutput(run: OperationRun, output: StepOutput, atMs: number): OperationRun {
  const { lastError: _, retryAfterMs: __, ...rest } = run;
  return { ...rest, outputs: [...run.outputs, output], attempts: 0, sinceMs: atMs };
}

/** The run after an attempt of its current step failed. `atMs`: when that was recorded, epoch milliseconds. */
export function withFailure(
  run: OperationRun,
  error: StepError,
  atMs: number,
  retryAfterMs?: number,
): OperationRun {
  const { retryAfterMs: _, ...rest } = run;
  return {
    ...rest,
    attempts: run.attempts + 1,
    sinceMs: atMs,
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
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  readonly lastError?: StepError;
  /** The operation that this one waits for. */
  readonly childId?: string;
}

/** Says what the run waits for; undefined when all its steps are done. */
export function waitingFor(run: OperationRun): WaitingFor | undefined {
  const step = currentStep(run);
  if (step === undefined) return undefined;
  return {
    operationId: run.id,
    kind: run.kind,
    step: step.name,
    attempt: run.attempts + 1,
    sinceMs: run.sinceMs,
    ...(run.lastError === undefined ? {} : { lastError: run.lastError }),
  };
}

/** Says what the parent of a run waits for, when it has one: its own steps are done, its child's are not. */
export function parentWaitingFor(run: OperationRun): WaitingFor | undefined {
  if (run.parentId === undefined) return undefined;
  return {
    operationId: run.parentId,
    kind: run.parentKind ?? "unknown",
    step: run.kind,
    attempt: 1,
    sinceMs: run.startedAtMs,
    childId: run.id,
  };
}
