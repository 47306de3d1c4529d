import type { OperationStart, RecordedEvent } from "#contracts";
import { type StepError, wallMsOf } from "#kernel";
import { eventRef } from "../event-ref.ts";
import { durationText } from "../phrases.ts";
import { operationIdOf } from "./acts.ts";
import type { Cause } from "./explanation.ts";

/** An attempt that failed. */
interface Failure {
  readonly event: RecordedEvent;
  readonly error: StepError;
}

/**
 * The steps of an operation: how long each took, how often it was tried, what went wrong. `beginMs`: when it was written
 * down. `events`: all that belong to it, and those that came of its end, in order.
 */
export function stepCauses(
  operation: OperationStart,
  beginMs: number,
  events: readonly RecordedEvent[],
): Cause[] {
  const causes: Cause[] = [];
  let sinceMs = beginMs;
  let failures: Failure[] = [];
  for (const event of events) {
    const step = operation.steps[causes.length];
    if (step === undefined) break;
    const outcome = outcomeOf(event, operation.id);
    if (outcome === undefined) continue;
    const atMs = wallMsOf(event.header.clock);
    if (outcome !== "done") failures.push({ event, error: outcome.error });
    if (outcome !== "done" && outcome.isRetried) continue;
    causes.push(stepCause(step, sinceMs, failures, { event, atMs, isDone: outcome === "done" }));
    if (outcome !== "done") return causes;
    [sinceMs, failures] = [atMs, []];
  }
  const open = operation.steps[causes.length];
  return open === undefined ? causes : [...causes, stepCause(open, sinceMs, failures)];
}

type Outcome = "done" | { readonly error: StepError; readonly isRetried: boolean };

/** What an event says of the step that was under way. Undefined when it says nothing of it. */
function outcomeOf(event: RecordedEvent, operationId: string): Outcome | undefined {
  const begun = "operation" in event.data ? event.data.operation?.parentId : undefined;
  if (operationIdOf(event) !== operationId && begun !== operationId) return undefined;
  const error = "error" in event.data ? event.data.error : undefined;
  if (error === undefined) return "done";
  return { error, isRetried: event.type === "StepFailed" || event.type === "VolumeStepFailed" };
}

interface End {
  readonly event: RecordedEvent;
  readonly atMs: number;
  readonly isDone: boolean;
}

function stepCause(
  { name, delayMs, maxAttempts }: OperationStart["steps"][number],
  sinceMs: number,
  failures: readonly Failure[],
  end?: End,
): Cause {
  const tries = failures.length + (end === undefined || end.isDone ? 1 : 0);
  const words = [
    end === undefined ? "under way" : end.isDone ? "done" : "given up",
    ...(tries > 1 ? [`${end === undefined ? "attempt" : "after"} ${tries}${end ? " attempts" : ""}`] : []),
    ...(delayMs === undefined || delayMs === 0 ? [] : [`after a pause of ${durationText(delayMs)}`]),
    ...(end === undefined && maxAttempts < UNTIL_DONE ? [`of ${maxAttempts} at the most`] : []),
  ];
  return {
    kind: "step",
    title: `${name}: ${words.join(", ")}`,
    atMs: sinceMs,
    ...(end === undefined ? {} : { durationMs: Math.max(0, end.atMs - sinceMs), event: eventRef(end.event) }),
    children: failures.map((failure, index) => failureCause(failure, index + 1)),
  };
}

/** So many attempts mean: until it works. */
const UNTIL_DONE = 1_000;

function failureCause({ event, error }: Failure, attempt: number): Cause {
  return {
    kind: "refusal",
    title: `attempt ${attempt} failed: ${error.code}: ${error.message}`,
    atMs: wallMsOf(event.header.clock),
    event: eventRef(event),
    children: [],
  };
}
