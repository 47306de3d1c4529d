import type { DecodedEvent, RecordedEvent } from "#contracts";
import type { HybridTime } from "#kernel";
import type { Checkpoint } from "./checkpoints.ts";
import type { Fold } from "./fold.ts";
import { type QuarantinedEvent, quarantinedAt } from "./quarantine.ts";
import type { LogEnd } from "./read-back.ts";

/** Stands for every aggregate of a log: nobody knows to which one a missing event belonged. */
export const WHOLE_LOG = ">";

/**
 * One log as its owner folds it, to decide on. An aggregate with a bad event is quarantined: its later events are not
 * applied either, as they were decided on a state that is not known here. All others go on (I10, F18).
 */
export class AggregateFold<S> {
  readonly #fold: Fold<S>;
  readonly #logId: string;
  readonly #quarantined = new Map<string, QuarantinedEvent>();
  #state: S;
  #end: LogEnd;
  #clock: HybridTime | undefined;

  constructor(fold: Fold<S>, logId: string, from?: Checkpoint) {
    this.#fold = fold;
    this.#logId = logId;
    this.#state = from === undefined ? fold.empty() : fold.fromJson(from.state);
    this.#end = { sequence: from?.sequence ?? 0, eventId: from?.eventId ?? "" };
    this.#clock = from?.clock;
    for (const event of from?.quarantined ?? []) this.#setAside(event);
  }

  get state(): S {
    return this.#state;
  }

  /** The last event that was folded, or set aside. */
  get end(): LogEnd {
    return this.#end;
  }

  /** Clock of the last event. */
  get clock(): HybridTime | undefined {
    return this.#clock;
  }

  /** The first bad event of each quarantined aggregate. */
  get quarantined(): QuarantinedEvent[] {
    return [...this.#quarantined.values()];
  }

  /** Why an aggregate cannot be decided on, if so. */
  quarantineOf(subject: string): QuarantinedEvent | undefined {
    return this.#quarantined.get(subject) ?? this.#quarantined.get(WHOLE_LOG);
  }

  /** Takes what stands at the next sequence. Returns what was newly set aside, if anything was. */
  apply(decoded: DecodedEvent): QuarantinedEvent | undefined {
    const sequence = this.#end.sequence + 1;
    if (decoded.kind === "bad") {
      this.#end = { sequence, eventId: "" };
      return this.#setAside(quarantinedAt(this.#logId, sequence, decoded));
    }
    const { event } = decoded;
    this.#end = { sequence, eventId: event.header.id };
    this.#clock = event.header.clock;
    return this.#quarantined.has(event.subject) ? undefined : this.#evolve(event, sequence);
  }

  /** Nobody has the event at the next sequence. */
  skip(detail: string): QuarantinedEvent {
    const sequence = this.#end.sequence + 1;
    this.#end = { sequence, eventId: "" };
    return this.#setAside({ log: this.#logId, sequence, reason: "missing", detail, subject: WHOLE_LOG });
  }

  /** The fold as it stands; later events do not change it. */
  toCheckpoint(): Checkpoint {
    return {
      log: this.#logId,
      ...this.#end,
      ...(this.#clock === undefined ? {} : { clock: this.#clock }),
      foldVersion: this.#fold.version,
      quarantined: this.quarantined,
      state: this.#fold.toJson(this.#state),
    };
  }

  #evolve(event: RecordedEvent, sequence: number): QuarantinedEvent | undefined {
    try {
      this.#state = this.#fold.evolve(this.#state, event);
      return undefined;
    } catch (thrown) {
      const { subject, type } = event;
      const detail = String(thrown);
      return this.#setAside({ log: this.#logId, sequence, reason: "evolve_failed", detail, subject, type });
    }
  }

  #setAside(event: QuarantinedEvent): QuarantinedEvent {
    if (!this.#quarantined.has(event.subject)) this.#quarantined.set(event.subject, event);
    return event;
  }
}
