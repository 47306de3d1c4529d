import type { BadEvent, BadReason } from "#contracts";
import { type Refusal, refusal } from "#kernel";

/** Remembered in detail. More than these means that something else is wrong; they are still counted. */
const MAX_REMEMBERED = 1_000;

/** An event that could not be folded, and where it stands: in its log, not in a copy's stream. */
export interface QuarantinedEvent {
  readonly log: string;
  readonly sequence: number;
  /**
   * `evolve_failed`: the fold threw. `missing`: the log's owner says that it has no such event. `store_failed`: it is more
   * than a database takes.
   */
  readonly reason: BadReason | "evolve_failed" | "missing" | "store_failed";
  readonly detail: string;
  readonly subject: string;
  readonly type?: string;
}

/** The bad event of this place, whatever the event itself claimed. */
export function quarantinedAt(log: string, sequence: number, bad: BadEvent): QuarantinedEvent {
  const { reason, detail, subject, type } = bad;
  return { log, sequence, reason, detail, subject, ...(type === undefined ? {} : { type }) };
}

/** What was set aside so that all the rest could be folded (I10). */
export class Quarantine {
  readonly #events: QuarantinedEvent[];
  #count: number;

  constructor(events: readonly QuarantinedEvent[] = [], count = events.length) {
    this.#events = [...events];
    this.#count = count;
  }

  add(event: QuarantinedEvent): void {
    this.#count += 1;
    this.#events.push(event);
    if (this.#events.length > MAX_REMEMBERED) this.#events.shift();
  }

  /** How many there were in all. */
  get count(): number {
    return this.#count;
  }

  /** The latest ones, oldest first. */
  get events(): readonly QuarantinedEvent[] {
    return this.#events;
  }

  /** Those of one aggregate: its state lacks them, and whoever shows it should say so (F18). */
  of(subject: string): QuarantinedEvent[] {
    return this.#events.filter((event) => event.subject === subject);
  }
}

/** Why nothing is decided on an aggregate that lacks an event. */
export function quarantineRefusal(bad: QuarantinedEvent): Refusal {
  const message = `event ${bad.sequence} of log ${bad.log} cannot be read (${bad.reason}): repair it before it is changed`;
  return refusal("quarantined", message, { details: { log: bad.log, sequence: bad.sequence } });
}
