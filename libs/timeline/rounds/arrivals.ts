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

/** Messages that may be in memory at a time, where they are handled slowly, beside those of the rounds that are kept. */
const STEP = 20_000;
/** Rounds whose events are kept: questions come in neighbourhoods. */
const KEPT_ROUNDS = 6;

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
    const reading = this.#whole(index.round(number), firstOf(index, number));
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

  /** As `ofRound`, in batches, for one who may stop in between. */
  async *throughRound(index: RoundIndex, number: number): AsyncGenerator<readonly ArrivedEvent[]> {
    const kept = this.#kept.get(number);
    if (kept !== undefined) {
      yield await kept;
      return;
    }
    const round = index.round(number);
    let end: ArrivedEvent | undefined;
    for await (const events of this.#read(firstOf(index, number), round.fleet)) {
      end = events.at(-1) ?? end;
      yield events;
    }
    assertEnd(round, end);
  }

  /** From one sequence of FLEET to another, in batches. No more is in memory than one step. */
  async *between(first: number, last: number): AsyncGenerator<readonly ArrivedEvent[]> {
    for (let at = first; at <= last; at += STEP) yield* this.#read(at, Math.min(last, at + STEP - 1));
  }

  /** From one sequence of CONTROL to another, likewise. */
  async *control(log: string, first: number, last: number): AsyncGenerator<readonly ControlEntry[]> {
    for (let at = first; at <= last; at += STEP) {
      for await (const entries of readControlRange(this.#nc, log, at, Math.min(last, at + STEP - 1))) {
        this.#readEvents += entries.length;
        yield entries;
      }
    }
  }

  /** Whether FLEET still holds what stands at the end of a round. */
  async holdsEndOf({ fleet, fleetEnd }: Round): Promise<boolean> {
    if (fleetEnd === undefined) return true;
    for await (const [found] of this.#read(fleet, fleet)) {
      return found?.logId === fleetEnd.log && found.sequence === fleetEnd.sequence;
    }
    return false;
  }

  async #whole(round: Round, first: number): Promise<readonly ArrivedEvent[]> {
    const all: ArrivedEvent[] = [];
    for await (const events of this.#read(first, round.fleet)) all.push(...events);
    assertEnd(round, all.at(-1));
    return all;
  }

  async *#read(first: number, last: number): AsyncGenerator<readonly ArrivedEvent[]> {
    for await (const events of readArrivals(this.#nc, first, last, (log) => this.#owners.get(log))) {
      for (const { logId, hostId } of events) this.#owners.set(logId, hostId);
      this.#readEvents += events.length;
      yield events;
    }
  }
}

function firstOf(index: RoundIndex, number: number): number {
  return (number === 1 ? 0 : index.round(number - 1).fleet) + 1;
}

function assertEnd({ number, fleetEnd }: Round, end: ArrivedEvent | undefined): void {
  // A round of CONTROL's events alone brought nothing.
  if (end === undefined) return;
  if (end.logId === fleetEnd?.log && end.sequence === fleetEnd.sequence) return;
  throw new ArrivalsChangedError(number);
}
