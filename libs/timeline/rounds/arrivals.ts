import {
  type ArrivedEvent,
  type ControlEntry,
  type HubEnds,
  hubEnds,
  readArrivals,
  readControlRange,
} from "#event-log";
import type { Round } from "./round.ts";
import type { RoundIndex } from "./round-index.ts";

type Connection = Parameters<typeof hubEnds>[0];

/** Messages in memory at a time, beside those of the rounds that are kept. */
const STEP = 5_000;
/** Rounds whose events are kept: questions come in neighbourhoods. */
const KEPT_ROUNDS = 3;

/** FLEET does not hold what the rounds say of it: it was made anew, or lost its end and got another one. */
export class ArrivalsChangedError extends Error {
  /** The first round that is wrong. */
  readonly round: number;

  constructor(round: number) {
    super(`FLEET holds something else than round ${round} tells`);
    this.round = round;
  }
}

/** What arrived at the hub, by round, and after the last one. Counts what it reads. */
export class Arrivals {
  readonly #nc: Connection;
  readonly #kept = new Map<number, Promise<readonly ArrivedEvent[]>>();
  readonly #owners = new Map<string, string>();
  #readEvents = 0;

  constructor(nc: Connection) {
    this.#nc = nc;
  }

  /** Messages that were read of the hub, so far. */
  get readEvents(): number {
    return this.#readEvents;
  }

  ends(): Promise<HubEnds> {
    return hubEnds(this.#nc);
  }

  /** What a round brought of hosts' logs. Throws `ArrivalsChangedError`. */
  async ofRound(index: RoundIndex, number: number): Promise<readonly ArrivedEvent[]> {
    const kept = this.#kept.get(number);
    if (kept !== undefined) return kept;
    const first = (number === 1 ? 0 : index.round(number - 1).fleet) + 1;
    const reading = this.#checked(index.round(number), first);
    this.#kept.set(number, reading);
    reading.catch(() => this.#kept.delete(number));
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_ROUNDS) break;
      this.#kept.delete(old);
    }
    return reading;
  }

  /** What was read may be of another FLEET. */
  forget(): void {
    this.#kept.clear();
  }

  /** From one sequence of FLEET to another, step by step. The next one is on its way while one is handled. */
  async *between(first: number, last: number): AsyncGenerator<readonly ArrivedEvent[]> {
    let ahead = this.#read(first, Math.min(last, first + STEP - 1));
    for (let at = first; at <= last; at += STEP) {
      const events = await ahead;
      const next = at + STEP;
      if (next <= last) {
        ahead = this.#read(next, Math.min(last, next + STEP - 1));
        // Whoever stops in between does not hear of it.
        ahead.catch(() => undefined);
      }
      yield events;
    }
  }

  /** From one sequence of CONTROL to another, step by step. */
  async *control(log: string, first: number, last: number): AsyncGenerator<readonly ControlEntry[]> {
    for (let at = first; at <= last; at += STEP) {
      const entries = await readControlRange(this.#nc, log, at, Math.min(last, at + STEP - 1));
      this.#readEvents += entries.length;
      yield entries;
    }
  }

  /** Whether FLEET still holds what stands at the end of a round. */
  async holdsEndOf({ fleet, fleetEnd }: Round): Promise<boolean> {
    if (fleetEnd === undefined) return true;
    const [found] = await this.#read(fleet, fleet);
    return found?.logId === fleetEnd.log && found.sequence === fleetEnd.sequence;
  }

  async #checked(round: Round, first: number): Promise<readonly ArrivedEvent[]> {
    const events = await this.#read(first, round.fleet);
    const end = events.at(-1);
    const { fleetEnd } = round;
    const isSame = end?.logId === fleetEnd?.log && end?.sequence === fleetEnd?.sequence;
    if (first <= round.fleet && !isSame) throw new ArrivalsChangedError(round.number);
    return events;
  }

  async #read(first: number, last: number): Promise<ArrivedEvent[]> {
    const events = await readArrivals(this.#nc, first, last, (log) => this.#owners.get(log));
    for (const { logId, hostId } of events) this.#owners.set(logId, hostId);
    this.#readEvents += events.length;
    return events;
  }
}
