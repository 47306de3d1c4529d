import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";
import { type Entity, hostIdOf } from "#timeline";

/** An event by its place and its cause, without what it says: small enough to stand beside each change. */
export interface EventRef {
  readonly id: string;
  readonly type: RecordedEvent["type"];
  readonly log: string;
  readonly sequence: number;
  /** Epoch milliseconds, from its clock. */
  readonly atMs: number;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
  /** The host in whose log it stands. Absent for CONTROL's. */
  readonly hostId?: string;
  /** What it names, most specific first. */
  readonly about: readonly Entity[];
}

/** Names an event. */
export function eventRef(event: RecordedEvent): EventRef {
  const { id, clock, actor, correlationId, causationId } = event.header;
  const hostId = hostIdOf(event);
  return {
    ...{ id, type: event.type, log: event.log, sequence: event.sequence, atMs: wallMsOf(clock) },
    ...{ actor, correlationId, causationId, ...(hostId === undefined ? {} : { hostId }) },
    about: entitiesNamedBy(event),
  };
}

/** What an event names: unlike what it touches, this needs no view. */
export function entitiesNamedBy(event: RecordedEvent): Entity[] {
  const data = event.data as Readonly<Record<string, unknown>>;
  const named: Entity[] = [];
  const name = (kind: Entity["kind"], id: unknown) => {
    if (typeof id === "string" && !named.some((other) => other.kind === kind && other.id === id)) {
      named.push({ kind, id });
    }
  };
  name("machine", data.machineId);
  name("snapshot", data.snapshotId);
  name("volume", data.volumeId);
  name("reservation", data.reservationId);
  name("host", hostIdOf(event) ?? data.hostId);
  name("app", data.appName);
  return named;
}
