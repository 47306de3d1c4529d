import type { RecordedEvent } from "#contracts";
import { type Moment, upTo } from "#fleet";
import { formatHybridTime, includesPosition, type Position, wallMsOf } from "#kernel";
import type { OnUnreadable, Stretch } from "../history.ts";
import { HubHistory } from "../hub-history.ts";
import { matcher } from "../listed-history.ts";
import { Reading } from "./reading.ts";
import { ROUND_EVENTS } from "./round.ts";
import type { LogCut, RoundIndex } from "./round-index.ts";
import type { Rounds, RoundsNow } from "./rounds.ts";
import { inCausalOrder, windowEdges } from "./windows.ts";

const NOW: Moment = { kind: "now" };
/** More than this after the last round is not put in order in memory. */
const MOST_TAIL = 4 * ROUND_EVENTS;

/** What a hub holds, read with the help of rounds: what is asked for is found without reading what comes before it. */
export class RoundsHistory extends HubHistory {
  readonly #rounds: Rounds;
  readonly #onUnreadable: OnUnreadable;
  #edges: { readonly index: RoundIndex; readonly edges: readonly number[] } | undefined;

  constructor(nc: ConstructorParameters<typeof HubHistory>[0], rounds: Rounds, onUnreadable: OnUnreadable) {
    super(nc, onUnreadable);
    this.#rounds = rounds;
    this.#onUnreadable = onUnreadable;
  }

  override async end(): Promise<Position> {
    return this.#rounds.ask(async (now) => {
      const { index, ends } = now;
      const end: Record<string, number> = {};
      for (const log of index.logIds) end[log] = index.partsOf(log).at(-1)!.last;
      for await (const events of this.#reading(now, end, NOW).events()) {
        for (const { log, sequence } of events) end[log] = sequence;
      }
      return ends.control === 0 ? end : { ...end, [ends.controlLog]: ends.control };
    });
  }

  override async *arrivals(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    if (isNarrow(stretch)) {
      yield* super.arrivals(stretch);
      return;
    }
    const wanted = matcher(stretch);
    const now = await this.#rounds.now();
    for await (const events of this.#reading(
      now,
      stretch.after ?? {},
      stretch.until ?? NOW,
      stretch.hostId,
    ).events()) {
      yield events.filter(wanted);
    }
  }

  override async *ordered(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    const now = await this.#rounds.now();
    const { index, ends } = now;
    if (isNarrow(stretch) || index.last === undefined || ends.fleet - index.last.fleet > MOST_TAIL) {
      yield* super.ordered(stretch);
      return;
    }
    const { until = NOW, hostId } = stretch;
    const isBeforeEnd = upTo(until);
    const position: Record<string, number> = { ...stretch.after };
    const clocks = clocksAt(index, position);
    for (const moment of this.#windows(index, position, until)) {
      const events: RecordedEvent[] = [];
      for await (const read of this.#reading(now, position, moment, hostId, true).events())
        events.push(...read);
      const ordered = inCausalOrder(events, clocks).filter(isBeforeEnd);
      for (const { log, sequence } of events) position[log] = sequence;
      const wanted = hostId === undefined ? ordered : ordered.filter(isOf(hostId));
      if (wanted.length > 0) yield wanted;
      if (isOver(until, moment, position)) return;
    }
  }

  override async event(eventId: string): Promise<RecordedEvent | undefined> {
    return this.#rounds.ask(async (now) => {
      const { index, ends } = now;
      const is = (event: RecordedEvent) => event.header.id === eventId;
      for (const { number } of roundsOf(index, eventId)) {
        for (const { decoded } of await this.#rounds.arrivals.ofRound(index, number)) {
          if (decoded.kind === "event" && is(decoded.event)) return decoded.event;
        }
        const [first, last] = [index.controlSequenceAt(number - 1) + 1, index.controlSequenceAt(number)];
        const found = await this.#inControl(now, first, last, is);
        if (found !== undefined) return found;
      }
      for await (const events of this.#rounds.tail.read(index, ends)) {
        for (const { decoded } of events)
          if (decoded.kind === "event" && is(decoded.event)) return decoded.event;
      }
      return this.#inControl(now, (index.last?.control ?? 0) + 1, ends.control, is);
    });
  }

  /** With rounds: what lies between two cuts, which is found without what came before. */
  protected override async *hostEvents(fromMs: number, toMs: number): AsyncGenerator<RecordedEvent> {
    const now = await this.#rounds.now();
    const { index } = now;
    if (index.last === undefined) {
      yield* super.hostEvents(fromMs, toMs);
      return;
    }
    const from: Moment = { kind: "time", atMs: fromMs };
    const after: Record<string, number> = {};
    for (const log of index.logIds) {
      const { part } = index.cut(log, from, () => true);
      if (part !== undefined) after[log] = part.last;
    }
    // CONTROL is no host.
    after[index.head.controlLog] = now.ends.control;
    for await (const events of this.#reading(now, after, { kind: "time", atMs: toMs }).events())
      yield* events;
  }

  async #inControl(
    { ends }: RoundsNow,
    first: number,
    last: number,
    is: (event: RecordedEvent) => boolean,
  ): Promise<RecordedEvent | undefined> {
    for await (const entries of this.#rounds.arrivals.control(ends.controlLog, first, last)) {
      for (const { decoded } of entries)
        if (decoded.kind === "event" && is(decoded.event)) return decoded.event;
    }
    return undefined;
  }

  /** What comes after a position, up to a moment. */
  #reading(now: RoundsNow, after: Position, until: Moment, hostId?: string, isLocal = false): Reading {
    const { index, ends } = now;
    const cuts = new Map<string, LogCut>();
    for (const log of index.logIds) {
      if (hostId !== undefined && index.partsOf(log)[0]!.hostId !== hostId) continue;
      cuts.set(
        log,
        index.cut(log, until, ({ last }) => last <= (after[log] ?? 0)),
      );
    }
    const known = new Set(index.logIds);
    const takesNew = (log: string, ownerId: string) =>
      !known.has(log) && (hostId === undefined || ownerId === hostId);
    const plan = { index, ends, until, cuts, after, takesNew, takesControl: hostId === undefined, isLocal };
    return new Reading(this.#rounds.arrivals, this.#rounds.tail, plan, this.#onUnreadable);
  }

  /** Moments, each later than the one before, with not too much in between. */
  *#windows(index: RoundIndex, after: Position, until: Moment): Generator<Moment> {
    if (this.#edges?.index !== index) this.#edges = { index, edges: windowEdges(index) };
    const fromMs = earliestAfter(index, after);
    for (const atMs of this.#edges.edges) {
      if (atMs < fromMs) continue;
      if (until.kind === "time" && atMs >= until.atMs) break;
      yield { kind: "time", atMs };
    }
    yield until.kind === "position" || until.kind === "event" ? NOW : until;
  }
}

/** One machine or volume is found by its subject. */
function isNarrow({ machineId, volumeId }: Stretch): boolean {
  return machineId !== undefined || volumeId !== undefined;
}

function isOf(hostId: string): (event: RecordedEvent) => boolean {
  return ({ subject }) => subject.startsWith(`evt.host.${hostId}.`);
}

/** Whether nothing that is read after a window can count any more. */
function isOver(until: Moment, window: Moment, position: Position): boolean {
  switch (until.kind) {
    case "position":
      return includesPosition(position, until.position);
    case "event": {
      const isBeyond = window.kind === "time" && formatHybridTime(window.atMs, 0) > until.clock;
      return isBeyond && (position[until.log] ?? 0) >= until.sequence;
    }
    default:
      return false;
  }
}

/** The greatest clocks of logs at a position, as far as the rounds tell. */
function clocksAt(index: RoundIndex, position: Position): Map<string, string> {
  const clocks = new Map<string, string>();
  for (const log of index.logIds) {
    const reached = position[log] ?? 0;
    const part = index.partsOf(log).findLast(({ last }) => last <= reached);
    if (part !== undefined) clocks.set(log, part.clock);
  }
  return clocks;
}

/** A time before which nothing after a position lies, epoch milliseconds. */
function earliestAfter(index: RoundIndex, after: Position): number {
  const control = after[index.head.controlLog] ?? 0;
  let earliest = control >= (index.last?.control ?? 0) ? Infinity : index.controlMsBefore(control);
  for (const log of index.logIds) {
    const reached = after[log] ?? 0;
    const parts = index.partsOf(log);
    const next = parts.find(({ last }) => last > reached);
    if (next === undefined) continue;
    const isWhole = reached < next.first;
    const before = parts.findLast(({ last }) => last <= reached);
    const clock = isWhole ? next.firstClock : (before?.clock ?? "");
    earliest = Math.min(earliest, clock === "" ? 0 : wallMsOf(clock));
  }
  return earliest;
}

function roundsOf(index: RoundIndex, eventId: string) {
  return index.rounds.filter(({ slices }) =>
    slices.some(({ leastId, greatestId }) => leastId <= eventId && eventId <= greatestId),
  );
}
