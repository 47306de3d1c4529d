import type { RecordedEvent } from "#contracts";
import type { Entity, Timeline, World } from "#timeline";
import { entitiesNamedBy } from "../event-ref.ts";
import { begunBy, operationIdOf } from "./acts.ts";

/** What an id without a name was found to be. */
export interface Located {
  readonly kind: "event" | "operation" | "request";
  /** The event of that id; of an operation or a request the first one. */
  readonly event: RecordedEvent;
  /** Machines and volumes that it is about. */
  readonly about: readonly Entity[];
}

/**
 * Looks for an event, an operation, a command or a request by its id, in all that a world includes. Reads all of it at the
 * worst: nothing else than the events tells. A command is the request of its own when it belongs to no other.
 */
export async function locate(timeline: Timeline, id: string, world: World): Promise<Located | undefined> {
  const quick = operationIn(world, id);
  const stretch = quick === undefined ? {} : stretchOf(quick);
  const until = { kind: "position", position: world.position } as const;
  let operation: RecordedEvent | undefined;
  let first: RecordedEvent | undefined;
  const about = new Map<string, Entity>();
  for await (const batch of timeline.history.arrivals({ ...stretch, until })) {
    for (const event of batch) {
      if (event.header.id === id) return { kind: "event", event, about: thingsOf(event) };
      if (begunBy(event)?.id === id || operationIdOf(event) === id) operation ??= event;
      if (!isCausedBy(event, id)) continue;
      first = first === undefined || event.header.clock < first.header.clock ? event : first;
      for (const thing of thingsOf(event)) about.set(`${thing.kind}/${thing.id}`, thing);
    }
  }
  if (operation !== undefined) return { kind: "operation", event: operation, about: thingsOf(operation) };
  return first === undefined ? undefined : { kind: "request", event: first, about: [...about.values()] };
}

function isCausedBy({ header, decision }: RecordedEvent, id: string): boolean {
  return header.correlationId === id || header.causationId === id || decision?.commandId === id;
}

/** The machines and volumes that an event is about. */
export function thingsOf(event: RecordedEvent): Entity[] {
  return entitiesNamedBy(event).filter(({ kind }) => kind === "machine" || kind === "volume");
}

/** Whose operation it is, where that goes on, or is remembered. */
function operationIn({ view }: World, id: string): Entity | undefined {
  for (const { host } of view.logs.values()) {
    for (const { id: machineId, operation, decidedCommands } of host.machines.values()) {
      if (operation?.id === id || decidedCommands.includes(id)) return { kind: "machine", id: machineId };
    }
    for (const { id: volumeId, operation } of host.volumes.values()) {
      if (operation?.id === id) return { kind: "volume", id: volumeId };
    }
  }
  return undefined;
}

function stretchOf({ kind, id }: Entity) {
  return kind === "machine" ? { machineId: id } : { volumeId: id };
}
