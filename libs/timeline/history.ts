import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import type { Position } from "#kernel";
import { World } from "./world.ts";

/** Which part of history is read. What is left out does not matter. */
export interface Stretch {
  /** Of each log what comes after this; of logs that it does not name, everything. */
  readonly after?: Position;
  /** Up to and including; "now" is where the logs end when reading begins. */
  readonly until?: Moment;
  /** One host's log alone, without CONTROL. */
  readonly hostId?: string;
  /** Events of this machine, in CONTROL and on all hosts. */
  readonly machineId?: string;
  /** Events of this volume and of its snapshots, likewise. */
  readonly volumeId?: string;
}

/** Told of what cannot be read; the rest goes on (I10). `place`: "log:sequence", as well as it is known. */
export type OnUnreadable = (place: string, reason: string) => void;

/**
 * Where events come from: a hub, a slice that somebody exported, a list. Events come in batches, as asking for each by
 * itself would cost more than folding it. Memory does not grow with the length of what is read.
 */
export abstract class History {
  /**
   * The world before its first event, for the caller to go on from: empty, but for a slice that begins later than its logs.
   */
  async beginning(): Promise<World> {
    return new World();
  }

  /** Whether events were left out of it on purpose: a gap in it tells nothing, and what is missing was not lost. */
  get isPart(): boolean {
    return false;
  }

  /** The last sequence of every log that there is. */
  abstract end(): Promise<Position>;

  /** Each log in its own order, logs as they come: enough for folding (each log changes only its part), and quickest. */
  abstract arrivals(stretch?: Stretch): AsyncIterable<readonly RecordedEvent[]>;

  /** One causal order: by hybrid clock across logs, by sequence within one; ties by event id. */
  abstract ordered(stretch?: Stretch): AsyncIterable<readonly RecordedEvent[]>;

  /** One event by its id (ULID). Undefined when no log holds it. */
  abstract event(eventId: string): Promise<RecordedEvent | undefined>;
}
