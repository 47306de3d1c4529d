import type { DecodedEvent, RecordedEvent } from "#contracts";
import type { ArrivedEvent, HubEnds } from "#event-log";
import { type Moment, upTo } from "#fleet";
import type { OnUnreadable } from "../history.ts";
import type { Arrivals } from "./arrivals.ts";
import type { LogCut, RoundIndex } from "./round-index.ts";
import type { Tail } from "./tail.ts";

/** From where to where is read. */
export interface ReadingPlan {
  readonly index: RoundIndex;
  readonly ends: HubEnds;
  readonly until: Moment;
  /** Of each log that the rounds know and that is wanted. Of others nothing is read, unless `takesNew`. */
  readonly cuts: ReadonlyMap<string, LogCut>;
  /** Whether logs that no round knows are read. */
  readonly takesNew: (log: string, hostId: string) => boolean;
  /** The last sequence of each log that is not wanted any more. */
  readonly after: Readonly<Record<string, number>>;
  readonly takesControl: boolean;
  /** Whether the next question is about the same rounds: then they are kept in memory. */
  readonly isLocal?: boolean;
}

/** Reads what lies between two cuts through history, and nothing else but the rounds that have it. */
export class Reading {
  readonly #arrivals: Arrivals;
  readonly #tail: Tail;
  readonly #plan: ReadingPlan;
  readonly #onUnreadable: OnUnreadable;
  readonly #counts: (event: RecordedEvent) => boolean;
  readonly #reached: Map<string, number>;

  constructor(arrivals: Arrivals, tail: Tail, plan: ReadingPlan, onUnreadable: OnUnreadable) {
    this.#arrivals = arrivals;
    this.#tail = tail;
    this.#plan = plan;
    this.#onUnreadable = onUnreadable;
    this.#counts = upTo(plan.until);
    this.#reached = new Map(Object.entries(plan.after));
  }

  /** Each log in its own order. CONTROL first. Throws `ArrivalsChangedError`. */
  async *events(): AsyncGenerator<readonly RecordedEvent[]> {
    if (this.#plan.takesControl) yield* this.#control();
    const { index, cuts } = this.#plan;
    for (const [number, logs] of roundsOf(cuts)) {
      const open = new Set(logs);
      for await (const arrived of this.#roundOf(index, number)) {
        yield this.#wanted(arrived, (log) => open.has(log), open);
        // Of none of them more can count: what else the round brought is not read.
        if (open.size === 0) break;
      }
    }
    if (!this.#needsTail()) return;
    const { takesNew, ends } = this.#plan;
    const isWanted = (log: string, hostId: string) => cuts.get(log)?.reachesTail ?? takesNew(log, hostId);
    for await (const arrived of this.#tail.read(index, ends)) yield this.#wanted(arrived, isWanted);
  }

  #needsTail(): boolean {
    const { cuts, until, index } = this.#plan;
    if ([...cuts.values()].some(({ reachesTail }) => reachesTail)) return true;
    if (until.kind !== "position") return true;
    const known = new Set(index.logIds);
    return Object.keys(until.position).some((log) => log !== index.head.controlLog && !known.has(log));
  }

  async *#control(): AsyncGenerator<readonly RecordedEvent[]> {
    const { index, until, ends, after } = this.#plan;
    const { controlLog } = index.head;
    const last = index.controlEnd(until) ?? ends.control;
    const first = (after[controlLog] ?? 0) + 1;
    if (until.kind === "position" && (until.position[controlLog] ?? 0) < first) return;
    for await (const entries of this.#arrivals.control(controlLog, first, last)) {
      const events: RecordedEvent[] = [];
      for (const { decoded } of entries) {
        const event = this.#good(decoded);
        if (event === undefined) continue;
        if (!this.#counts(event)) {
          yield events;
          return;
        }
        events.push(event);
      }
      yield events;
    }
  }

  #wanted(
    arrived: readonly ArrivedEvent[],
    isWanted: (log: string, hostId: string) => boolean,
    open: Set<string> = new Set(),
  ): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    for (const { logId, hostId, sequence, decoded } of arrived) {
      if (!isWanted(logId, hostId) || sequence <= (this.#reached.get(logId) ?? 0)) continue;
      this.#reached.set(logId, sequence);
      const event = this.#good(decoded);
      if (event === undefined) continue;
      if (this.#counts(event)) events.push(event);
      else open.delete(logId);
      if (sequence === this.#last(logId)) open.delete(logId);
    }
    return events;
  }

  /** The last sequence of a log that counts, where that is said. */
  #last(log: string): number | undefined {
    const { until } = this.#plan;
    if (until.kind === "position") return until.position[log];
    return until.kind === "event" && until.log === log ? until.sequence : undefined;
  }

  #roundOf(index: RoundIndex, number: number): AsyncIterable<readonly ArrivedEvent[]> {
    return this.#plan.isLocal === true
      ? kept(this.#arrivals.ofRound(index, number))
      : this.#arrivals.throughRound(index, number);
  }

  #good(decoded: DecodedEvent): RecordedEvent | undefined {
    if (decoded.kind === "event") return decoded.event;
    const place = `${decoded.log ?? decoded.subject}:${decoded.sequence ?? "?"}`;
    this.#onUnreadable(place, `${decoded.reason}: ${decoded.detail}`);
    return undefined;
  }
}

async function* kept(events: Promise<readonly ArrivedEvent[]>): AsyncGenerator<readonly ArrivedEvent[]> {
  yield await events;
}

/** Which logs are read of which rounds, in the order of rounds. */
function roundsOf(cuts: ReadonlyMap<string, LogCut>): [number, ReadonlySet<string>][] {
  const rounds = new Map<number, Set<string>>();
  for (const [log, cut] of cuts) {
    for (const number of cut.rounds) {
      const logs = rounds.get(number);
      if (logs === undefined) rounds.set(number, new Set([log]));
      else logs.add(log);
    }
  }
  return [...rounds].sort(([a], [b]) => a - b);
}
