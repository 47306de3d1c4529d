import type { Moment } from "#fleet";
import { formatHybridTime, type HybridTime, wallMsOf } from "#kernel";
import type { IndexHead, LogPart, Round, Span } from "./round.ts";

/** A part of a log, and the round that it is of. */
export interface PlacedPart extends LogPart {
  readonly round: number;
  /** How many parts before it are needed for its histories. */
  readonly historiesBefore: number;
}

/** What of a log counts at a moment. */
export interface LogCut {
  /** The parts that can be begun with: the last one counts whole and is readable. Absent where none does. */
  readonly part?: PlacedPart;
  /** Rounds with more of it that counts, after that part, in order. */
  readonly rounds: readonly number[];
  /** Whether what arrived after the last round may count too. */
  readonly reachesTail: boolean;
}

interface KnownLog {
  readonly parts: PlacedPart[];
  /** Those in which its host forgot something. */
  readonly forgetful: PlacedPart[];
}

interface KnownControl {
  readonly round: number;
  readonly sequence: number;
  readonly hasSpan: boolean;
  readonly span: Span;
}

/** All rounds, found by log and by moment. Blocks that turn out to be damaged are passed over from then on. */
export class RoundIndex {
  readonly head: IndexHead;
  readonly rounds: Round[] = [];
  readonly #logs = new Map<string, KnownLog>();
  readonly #control: KnownControl[] = [];
  readonly #damaged = new Map<string, number>();

  constructor(head: IndexHead) {
    this.head = head;
  }

  get last(): Round | undefined {
    return this.rounds.at(-1);
  }

  /** The round of a number, which has to be there. */
  round(number: number): Round {
    return this.rounds[number - 1]!;
  }

  get logIds(): Iterable<string> {
    return this.#logs.keys();
  }

  /** The next round. */
  add(round: Round): void {
    this.rounds.push(round);
    for (const part of round.logs) {
      const known = this.#logs.get(part.log) ?? { parts: [], forgetful: [] };
      const before = known.parts.at(-1);
      const historiesBefore = part.hasAllHistories ? 0 : (before?.historiesBefore ?? 0) + 1;
      const placed = { ...part, round: round.number, historiesBefore };
      known.parts.push(placed);
      if (part.forgotten !== undefined) known.forgetful.push(placed);
      this.#logs.set(part.log, known);
    }
    if (round.controlPart === undefined) return;
    const { span } = round.controlPart;
    const before = this.#control.at(-1)?.span;
    const nothing = { first: 0, firstClock: "", last: 0, clock: "" };
    this.#control.push({
      round: round.number,
      sequence: round.control,
      hasSpan: span !== undefined,
      span: span ?? before ?? nothing,
    });
  }

  /** Whether a block of a round cannot be read any more. */
  isDamaged(key: string): boolean {
    return this.#damaged.has(key);
  }

  damage(key: string, round: number): void {
    this.#damaged.set(key, round);
  }

  /** The first round of which something cannot be read any more. */
  get firstDamaged(): number | undefined {
    return this.#damaged.size === 0 ? undefined : Math.min(...this.#damaged.values());
  }

  /** All parts of a log, in order. */
  partsOf(log: string): readonly PlacedPart[] {
    return this.#logs.get(log)?.parts ?? [];
  }

  /** The first rounds alone, as a list of its own. */
  prefix(count: number): RoundIndex {
    const index = new RoundIndex(this.head);
    for (const round of this.rounds.slice(0, count)) index.add(round);
    for (const [key, round] of this.#damaged) if (round <= count) index.damage(key, round);
    return index;
  }

  /** The next round after one in which a log's host forgot something. */
  nextForgetful(log: string, after: number): number | undefined {
    const forgetful = this.#logs.get(log)?.forgetful ?? [];
    return forgetful[countWhole(forgetful, ({ round }) => round <= after)]?.round;
  }

  /** A log's parts after one round, up to another, in which its host forgot something. */
  forgetfulBetween(log: string, after: number, upTo: number): readonly PlacedPart[] {
    const forgetful = this.#logs.get(log)?.forgetful ?? [];
    const first = countWhole(forgetful, ({ round }) => round <= after);
    return forgetful.slice(
      first,
      countWhole(forgetful, ({ round }) => round <= upTo),
    );
  }

  /** The parts that hold the histories of a part, oldest first, itself among them. */
  historiesOf(part: PlacedPart): readonly PlacedPart[] {
    const parts = this.partsOf(part.log);
    const place = placeOf(parts, part.round);
    return parts.slice(place - part.historiesBefore, place + 1);
  }

  /** What of a host's log counts at a moment. `isUsable`: of parts that one may begin with. */
  cut(log: string, moment: Moment, isUsable: (part: PlacedPart) => boolean): LogCut {
    const parts = this.partsOf(log);
    const whole = countWhole(parts, (part) => counts(moment, log, part.last, part.clock));
    let usable = whole;
    while (usable > 0 && !isUsable(parts[usable - 1]!)) usable -= 1;
    const next = parts[whole];
    const reachesNext = next !== undefined && counts(moment, log, next.first, next.firstClock);
    const rounds = parts.slice(usable, whole + (reachesNext ? 1 : 0)).map(({ round }) => round);
    const part = parts[usable - 1];
    const reached = parts[whole - 1]?.last ?? 0;
    const reachesTail = next === undefined && mayCountAfter(moment, log, reached);
    return { ...(part === undefined ? {} : { part }), rounds, reachesTail };
  }

  /** The last round all of whose CONTROL counts at a moment; 0 for none. */
  controlCut(moment: Moment): number {
    const { controlLog } = this.head;
    const isWhole = ({ span }: KnownControl) => counts(moment, controlLog, span.last, span.clock);
    const whole = countWhole(this.#control, isWhole);
    const next = this.#control[whole];
    return next === undefined ? this.rounds.length : next.round - 1;
  }

  /** The last round up to a number in which something of CONTROL changed, and that is readable; 0 for none. */
  controlPartAt(number: number, isUsable: (round: number) => boolean): number {
    let place = countWhole(this.#control, ({ round }) => round <= number);
    while (place > 0 && !isUsable(this.#control[place - 1]!.round)) place -= 1;
    return this.#control[place - 1]?.round ?? 0;
  }

  /** The round before the next one in which something of CONTROL changed. */
  controlStandsUntil(round: number): number {
    const next = this.#control[countWhole(this.#control, (each) => each.round <= round)];
    return next === undefined ? this.rounds.length : next.round - 1;
  }

  /** CONTROL's greatest clock at the end of a round. */
  controlClockAt(number: number): HybridTime {
    return this.#control[countWhole(this.#control, ({ round }) => round <= number) - 1]?.span.clock ?? "";
  }

  /** Wall time of CONTROL's greatest clock at the last round that ends at a sequence of it, or before; 0 for none. */
  controlMsBefore(sequence: number): number {
    const before = this.#control[countWhole(this.#control, (each) => each.sequence <= sequence) - 1];
    return before === undefined || before.span.clock === "" ? 0 : wallMsOf(before.span.clock);
  }

  /** CONTROL's last sequence at the end of a round. */
  controlSequenceAt(number: number): number {
    return number === 0 ? 0 : this.round(number).control;
  }

  /** How far CONTROL has to be read for a moment, from the rounds alone; undefined: to its end. */
  controlEnd(moment: Moment): number | undefined {
    const next = this.#control
      .slice(countWhole(this.#control, ({ round }) => round <= this.controlCut(moment)))
      .find(({ hasSpan }) => hasSpan);
    if (next === undefined) return undefined;
    const { first, firstClock } = next.span;
    const reaches = counts(moment, this.head.controlLog, first, firstClock);
    return reaches ? next.sequence : first - 1;
  }
}

/** Whether a log's beginning counts, which ends with this sequence and whose greatest clock this is. */
function counts(moment: Moment, log: string, sequence: number, clock: HybridTime): boolean {
  switch (moment.kind) {
    case "now":
      return true;
    case "position":
      return sequence <= (moment.position[log] ?? 0);
    case "time":
      return clock <= formatHybridTime(moment.atMs, 0xffff);
    case "event":
      return log === moment.log ? sequence <= moment.sequence : clock <= moment.clock;
  }
}

/** Whether anything after a sequence may count: of positions one can tell without looking. */
function mayCountAfter(moment: Moment, log: string, reached: number): boolean {
  if (moment.kind === "position") return (moment.position[log] ?? 0) > reached;
  return !(moment.kind === "event" && moment.log === log && moment.sequence <= reached);
}

/** How many of the first items hold, where once one does not, none does any more. */
function countWhole<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function placeOf(parts: readonly PlacedPart[], round: number): number {
  return countWhole(parts, (part) => part.round <= round) - 1;
}
