import type { OperationStart, RecordedEvent } from "#contracts";
import type { Told } from "../blame-history.ts";

/** What belongs together: an operation with all that was recorded of it, or one event that is part of none. */
export interface Act {
  /** Of an operation its id, else its event's. */
  readonly id: string;
  /** The beginning first. */
  readonly told: Told[];
  readonly operation?: OperationStart;
  /** What it led to, in causal order. */
  readonly children: Act[];
  parent?: Act;
}

/** The operation that an event begins. */
export function begunBy({ data }: RecordedEvent): OperationStart | undefined {
  return "operation" in data ? data.operation : undefined;
}

/** The operation that an event belongs to: a step's outcome, or its end. */
export function operationIdOf({ data }: RecordedEvent): string | undefined {
  return "operationId" in data ? data.operationId : undefined;
}

/** The first event of an act. */
export function beginningOf({ told }: Act): RecordedEvent {
  return told[0]!.event;
}

/** The events of one thing as acts, each below what led to it. `told` in causal order; the acts keep it. */
export function actsOf(told: readonly Told[]): Act[] {
  const acts: Act[] = [];
  const byOperation = new Map<string, Act>();
  const byEvent = new Map<string, Act>();
  for (const each of told) {
    const { event } = each;
    const ended = byOperation.get(operationIdOf(event) ?? "");
    ended?.told.push(each);
    if (ended !== undefined) byEvent.set(event.header.id, ended);
    const operation = begunBy(event);
    if (ended !== undefined && operation === undefined) continue;
    const act: Act = {
      id: operation?.id ?? event.header.id,
      told: [each],
      children: [],
      ...(operation === undefined ? {} : { operation }),
    };
    adopt(parentOf(act, acts, byOperation, byEvent), act);
    acts.push(act);
    if (operation !== undefined) byOperation.set(operation.id, act);
    byEvent.set(event.header.id, act);
  }
  return acts;
}

function adopt(parent: Act | undefined, act: Act): void {
  if (parent === undefined) return;
  act.parent = parent;
  parent.children.push(act);
}

/** What an act came of, among the acts before it. */
function parentOf(
  act: Act,
  before: readonly Act[],
  byOperation: ReadonlyMap<string, Act>,
  byEvent: ReadonlyMap<string, Act>,
): Act | undefined {
  const event = beginningOf(act);
  const { causationId } = event.header;
  const parentId = act.operation?.parentId;
  return (
    (parentId === undefined ? undefined : byOperation.get(parentId)) ??
    queuedAs(event, before) ??
    placedBy(event, before) ??
    byEvent.get(causationId) ??
    byOperation.get(causationId)
  );
}

/** The command that had to wait, now that its turn has come: it keeps its id. */
function queuedAs({ decision, type }: RecordedEvent, before: readonly Act[]): Act | undefined {
  if (decision === undefined || type === "MachineIntentQueued") return undefined;
  return before.findLast((act) => {
    const { event } = act.told[0]!;
    return event.type === "MachineIntentQueued" && event.data.commandId === decision.commandId;
  });
}

const PLACED: ReadonlySet<string> = new Set([
  "ReservationMade",
  "MachineCreating",
  "VolumeCreating",
  "CommitRefused",
]);

/** A host makes what was decided to be there, in that epoch. Its reservation comes before the decision, and stays by itself. */
function placedBy({ type, data }: RecordedEvent, before: readonly Act[]): Act | undefined {
  if (!PLACED.has(type) || !("epoch" in data)) return undefined;
  return before.findLast((act) => {
    const { event } = act.told[0]!;
    const isDecision = event.type === "PlacementDecided" || event.type === "VolumePlacementDecided";
    return isDecision && event.data.epoch === data.epoch;
  });
}

/** The act that all of it began with. */
export function rootOf(act: Act): Act {
  let root = act;
  while (root.parent !== undefined) root = root.parent;
  return root;
}
