import type { VolumeEvent } from "#contracts";
import {
  accepted,
  attemptKey,
  currentStep,
  type Decision,
  delayBeforeAttemptMs,
  isExhausted,
  type OperationRun,
  type StepError,
  type StepOutcome,
  UNCHANGED,
  withFailure,
  withOutput,
} from "#kernel";
import type { RecordVolumeStep } from "./command.ts";
import type { Occasion } from "./plan.ts";

/** Whose operation it is, and what its ends mean. */
export interface StepOwner {
  readonly about: { readonly volumeId: string; readonly snapshotId?: string };
  readonly run: OperationRun | undefined;
  /** The event that ends an operation all of whose steps are done. */
  finished(run: OperationRun): VolumeEvent;
  /** The event that ends one that cannot be done; undefined where it has to be, some day. */
  givenUp(error: StepError, next: Occasion): VolumeEvent | undefined;
}

const STILL_OWED_PAUSE_MS = 30_000;

/** What the end of an attempt means: the next step, another attempt, or the operation's end. */
export function decideStep(command: RecordVolumeStep, owner: StepOwner): Decision<VolumeEvent> {
  const { about, run } = owner;
  const step = run && currentStep(run);
  if (run === undefined || step === undefined || run.id !== command.operationId) return UNCHANGED;
  if (command.attemptKey !== undefined && command.attemptKey !== attemptKey(run)) return UNCHANGED;
  const { outcome, atMs } = command;
  const named = { ...about, operationId: run.id, step: step.name };
  if (outcome.kind === "completed") {
    const { output } = outcome;
    const after = withOutput(run, output, atMs);
    if (currentStep(after) === undefined) return accepted(owner.finished(after));
    return accepted({ type: "VolumeStepCompleted", data: { ...named, output } });
  }
  const { error } = outcome;
  const isOver = outcome.kind === "terminal" || isExhausted(withFailure(run, error, atMs));
  const end = isOver ? owner.givenUp(error, { id: command.commandId, atMs, parent: run }) : undefined;
  if (end !== undefined) return accepted(end);
  // What has to be done some day stays, and says why (I9).
  const pauseMs = isOver ? STILL_OWED_PAUSE_MS : pauseAskedFor(outcome, run);
  const failed = { ...named, attempt: run.attempts + 1, error };
  const data = pauseMs === undefined ? failed : { ...failed, retryAfterMs: pauseMs };
  return accepted({ type: "VolumeStepFailed", data });
}

/** A store that puts everything off is not asked more often for it than one that fails: each vain try is an event (F04). */
function pauseAskedFor(outcome: StepOutcome, run: OperationRun): number | undefined {
  if (outcome.kind !== "retry" || outcome.retryAfterMs === undefined) return undefined;
  const ownMs = delayBeforeAttemptMs(withFailure(run, outcome.error, 0));
  return outcome.retryAfterMs > ownMs ? outcome.retryAfterMs : undefined;
}
