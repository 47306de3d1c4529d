import type { RecordedEvent } from "#contracts";
import type { HostLogView } from "#fleet";
import type { Host } from "#hosts";
import { currentStep, delayBeforeAttemptMs, type OperationRun } from "#kernel";
import { type Entity, parseEntity, type World } from "#timeline";
import { AwakeTime, Due } from "./awake-time.ts";
import { Check, type Invariant, NOTHING, type Status, type Step } from "./invariant.ts";

/** What an outcome may take beyond its attempt's own time: an effect's last words, the way into the log, a slow start. */
const SLACK_MS = 60_000;

const NO_TIME = -1;

interface LogOperations {
  readonly time: AwakeTime;
  /** Operations under way, by entity. */
  readonly due: Due<OperationRun>;
  readonly open: Map<string, string>;
}

/**
 * I9. Each attempt of a step has a deadline, after which its failure is written down: an operation is stuck when neither
 * comes. That an operation is tried for long, and says so each time, is no violation: some have to be done some day.
 */
class OperationsEnd extends Check {
  readonly #logs = new Map<string, LogOperations>();

  override begin({ view }: World): readonly Status[] {
    for (const [log, { host }] of view.logs) {
      const operations = newLog();
      this.#logs.set(log, operations);
      for (const entity of everythingOn(host)) follow(operations, entity, host);
    }
    return NOTHING;
  }

  override after({ event, world, effect }: Step): readonly Status[] {
    const log = world.view.logs.get(event.log);
    if (log === undefined) return NOTHING;
    const operations = this.#logs.get(event.log) ?? newLog();
    this.#logs.set(event.log, operations);
    const { time, due, open } = operations;
    time.note(event);
    const ended: Status[] = [];
    for (const entity of effect.touched) {
      const id = keyOf(entity);
      if (id === undefined) continue;
      const run = follow(operations, entity, log.host);
      const stuck = open.get(id);
      if (stuck === undefined || (run !== undefined && stuck === attemptOf(run))) continue;
      open.delete(id);
      ended.push({ entity, key: stuck });
    }
    if (mayHavePaused(event)) due.postpone(time.ms, timeOf);
    const late = due.overdue(time.ms);
    if (late.length === 0) return ended;
    return [...ended, ...late.map(([id, run]) => stuckAt(id, run, operations))];
  }
}

function newLog(): LogOperations {
  return { time: new AwakeTime(), due: new Due(), open: new Map() };
}

/** A new agent takes up what the one before it left. */
function mayHavePaused({ type }: RecordedEvent): boolean {
  return type === "AgentEpochClaimed" || type === "HostLogOpened";
}

/** Notes by when the entity's current attempt has to have an outcome. */
function follow({ time, due, open }: LogOperations, entity: Entity, host: Host): OperationRun | undefined {
  const id = keyOf(entity);
  if (id === undefined) return undefined;
  const run = operationOf(entity, host);
  if (run === undefined) {
    due.delete(id);
    return undefined;
  }
  const attempt = attemptOf(run);
  const known = due.get(id);
  const isNew = (known === undefined || attemptOf(known) !== attempt) && open.get(id) !== attempt;
  if (isNew) due.set(id, time.ms + timeOf(run), run);
  return run;
}

function operationOf({ kind, id }: Entity, host: Host): OperationRun | undefined {
  if (kind === "machine") return host.machines.get(id)?.operation;
  return kind === "volume" ? host.volumes.get(id)?.operation : host.snapshots.get(id)?.operation;
}

function keyOf({ kind, id }: Entity): string | undefined {
  return kind === "machine" || kind === "volume" || kind === "snapshot" ? `${kind}/${id}` : undefined;
}

function attemptOf({ id, outputs, attempts }: OperationRun): string {
  return `${id}.${outputs.length}.${attempts}`;
}

function timeOf(run: OperationRun): number {
  const step = currentStep(run);
  // The outcome of the last step is the end: there is nothing more to wait for.
  return step === undefined ? NO_TIME : delayBeforeAttemptMs(run) + step.timeoutMs + SLACK_MS;
}

function stuckAt(id: string, run: OperationRun, { open }: LogOperations): Status {
  const entity = parseEntity(id)!;
  const key = attemptOf(run);
  open.set(id, key);
  const step = currentStep(run)?.name;
  if (step === undefined) {
    return { entity, key, broken: `${run.kind} ${run.id} has done all its steps, and did not end` };
  }
  const since = new Date(run.sinceMs).toISOString();
  const allowedMs = timeOf(run) - SLACK_MS;
  const broken = `${run.kind} ${run.id} has no outcome of ${step} since ${since}, and ${allowedMs} ms are its time`;
  return { entity, key, broken };
}

function* everythingOn({ machines, volumes, snapshots }: HostLogView["host"]): Generator<Entity> {
  for (const id of machines.keys()) yield { kind: "machine", id };
  for (const id of volumes.keys()) yield { kind: "volume", id };
  for (const id of snapshots.keys()) yield { kind: "snapshot", id };
}

export const everyOperationEnds: Invariant = {
  name: "every-operation-ends",
  says: "each attempt of each step has an outcome within its own deadline, while its host is at work (I9)",
  check: () => new OperationsEnd(),
};
