import type { z } from "zod";
import type { HybridTime } from "#kernel";
import { controlEvents } from "./events/control.ts";
import { hostEvents } from "./events/host.ts";
import { machineEvents } from "./events/machine.ts";
import { volumeEvents } from "./events/volume.ts";

type DataOf<M extends Record<string, z.ZodType>> = {
  [T in keyof M & string]: { readonly type: T; readonly data: z.infer<M[T]> };
}[keyof M & string];

export type MachineEvent = DataOf<typeof machineEvents>;
/** Of a volume and its snapshots. */
export type VolumeEvent = DataOf<typeof volumeEvents>;
export type HostEvent = DataOf<typeof hostEvents>;
export type ControlEvent = DataOf<typeof controlEvents>;
/** Everything that may stand in a host's log. */
export type HostLogEvent = MachineEvent | VolumeEvent | HostEvent;
export type AnyEvent = HostLogEvent | ControlEvent;
export type EventType = AnyEvent["type"];

/** What a decision was made from, kept so that `why`, `what-if` and `bisect` need not guess. Redacted. */
export interface DecisionRecord {
  readonly command: string;
  readonly commandId: string;
  /** The command's own fields, and the time, ids and random numbers that were handed to the decider. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What an event says of itself beside its data. */
export interface EventHeader {
  /** ULID; also the message id by which the log deduplicates. */
  readonly id: string;
  readonly version: number;
  readonly clock: HybridTime;
  /** Id of the event or command that led to this one. */
  readonly causationId: string;
  /** Shared by everything that one request set in motion. */
  readonly correlationId: string;
  /** Who asked: "token:<id>", "host:<id>", "restart-policy"… */
  readonly actor: string;
}

/** An event to be appended. */
export type NewEvent<E extends AnyEvent = AnyEvent> = E & {
  readonly subject: string;
  readonly header: EventHeader;
  readonly decision?: DecisionRecord;
};

/** An event as read from a log: `log` and `sequence` are its place, the same wherever a copy of it is read. */
export type RecordedEvent<E extends AnyEvent = AnyEvent> = NewEvent<E> & {
  readonly log: string;
  readonly sequence: number;
};
