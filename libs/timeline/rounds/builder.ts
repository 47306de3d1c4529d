import type { ArrivedEvent, ControlEntry } from "#event-log";
import { World } from "../world.ts";
import { writeBlocks } from "./block-file.ts";
import { compose } from "./compose.ts";
import type { IndexFile } from "./index-file.ts";
import { type KnownLog, RoundRecorder } from "./recorder.ts";
import { roundFile } from "./round.ts";
import type { RoundIndex } from "./round-index.ts";
import { headOf, type Rounds, type RoundsNow } from "./rounds.ts";
import type { OnProgress } from "./rounds-timeline.ts";

/** CONTROL's events, some ahead: taken when it is their turn. */
interface ControlAhead {
  readonly entries: ControlEntry[];
  /** The last sequence that was read. */
  read: number;
}

/**
 * Makes rounds of what arrived. CONTROL's events are taken when the hosts' events of their time are, so that a round is
 * near a moment: this is for speed alone, any mixture gives the same answers.
 */
export class RoundBuilder {
  readonly #rounds: Rounds;
  readonly #file: IndexFile;
  readonly #recorder: RoundRecorder;
  readonly #ahead: ControlAhead;
  #fleet: number;
  #time = "";

  /** Goes on after the rounds that there are and fit; without any, from the beginning. For the holder of the lock. */
  static async open(rounds: Rounds, file: IndexFile, now: RoundsNow): Promise<RoundBuilder> {
    const index = await usable(rounds, file, now);
    const composed = await compose(file.directory, index, { kind: "now" });
    const damaged = index.firstDamaged ?? now.index.firstDamaged;
    if (composed === undefined || damaged !== undefined) {
      // From what is damaged on, all is made again.
      rounds.distrust();
      await file.keep((damaged ?? 1) - 1);
      return RoundBuilder.open(rounds, file, await rounds.now());
    }
    return new RoundBuilder(rounds, file, index, composed.world, composed.previous);
  }

  private constructor(
    rounds: Rounds,
    file: IndexFile,
    index: RoundIndex,
    world: World,
    previous: ReadonlyMap<string, string>,
  ) {
    const { last } = index;
    this.#rounds = rounds;
    this.#file = file;
    this.#fleet = last?.fleet ?? 0;
    const control = last?.control ?? 0;
    const clock = index.controlClockAt(index.rounds.length);
    const known = knownLogs(index, previous);
    const { controlLog } = index.head;
    const number = index.rounds.length;
    const reached = { reached: control, clock };
    this.#recorder = new RoundRecorder(world, controlLog, number, known, reached, last?.fleetEnd);
    this.#ahead = { entries: [], read: control };
  }

  /** FLEET's last sequence that was taken. */
  get fleet(): number {
    return this.#fleet;
  }

  /** CONTROL's last sequence that was taken, or is about to be. */
  get control(): number {
    return this.#ahead.read;
  }

  /** Takes all that there is. What is less than a round is taken, and written with what comes later. */
  async catchUp({ ends }: RoundsNow, onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
    const { arrivals } = this.#rounds;
    const from = this.#fleet;
    for await (const arrived of arrivals.between(from + 1, ends.fleet)) {
      if (signal?.aborted) return;
      await this.#controlUpTo(timeOf(arrived), ends.control);
      await this.takeArrived(arrived);
      onProgress(this.#fleet - from, ends.fleet - from);
    }
    await this.#controlUpTo(undefined, ends.control);
  }

  /** Takes what arrived in FLEET. */
  async takeArrived(arrived: readonly ArrivedEvent[]): Promise<void> {
    const recorder = this.#recorder;
    for (const { logId, hostId, sequence, decoded, fleetSequence } of arrived) {
      const isNew = sequence > recorder.reachedOf(logId);
      recorder.arrived(logId, hostId, sequence);
      this.#fleet = fleetSequence;
      if (!isNew) continue;
      if (decoded.kind === "event") recorder.applyHost(decoded.event);
      else recorder.unreadable(`${logId}:${sequence}`, `${decoded.reason}: ${decoded.detail}`);
      if (recorder.events >= this.#rounds.roundEvents) await this.#write();
    }
  }

  /** Takes events of CONTROL. */
  async takeControl(entries: readonly ControlEntry[]): Promise<void> {
    const recorder = this.#recorder;
    for (const { sequence, decoded } of entries) {
      recorder.controlReached(sequence);
      if (decoded.kind === "event") recorder.applyControl(decoded.event);
      else recorder.unreadable(`${recorder.controlLog}:${sequence}`, `${decoded.reason}: ${decoded.detail}`);
      if (recorder.events >= this.#rounds.roundEvents) await this.#write();
    }
    this.#ahead.read = Math.max(this.#ahead.read, entries.at(-1)?.sequence ?? 0);
  }

  /** Up to a time; without one, all up to a sequence. */
  async #controlUpTo(time: string | undefined, last: number): Promise<void> {
    if (time !== undefined && time > this.#time) this.#time = time;
    const { controlLog } = this.#recorder;
    for (;;) {
      const { entries } = this.#ahead;
      const due = time === undefined ? entries.length : entries.findIndex((entry) => this.#isLater(entry));
      const rest = due < 0 ? [] : entries.splice(due);
      const taken = entries.splice(0);
      entries.push(...rest);
      const read = this.#ahead.read;
      await this.takeControl(taken);
      this.#ahead.read = read;
      if (rest.length > 0 || read >= last) return;
      this.#ahead.read = Math.min(last, read + 5_000);
      for await (const more of this.#rounds.arrivals.control(
        controlLog,
        read + 1,
        Math.min(last, read + 5_000),
      )) {
        entries.push(...more);
      }
    }
  }

  #isLater({ decoded }: ControlEntry): boolean {
    return decoded.kind === "event" && decoded.event.header.clock > this.#time;
  }

  async #write(): Promise<void> {
    const draft = this.#recorder.take(this.#fleet);
    const number = draft.number;
    const places = await writeBlocks(this.#file.directory, roundFile(number), draft.blocks);
    await this.#file.append(draft.round(places));
  }
}

/** The list as it may be gone on with: of this very history, and of this very FLEET. */
async function usable(rounds: Rounds, file: IndexFile, { index, ends }: RoundsNow): Promise<RoundIndex> {
  const held = await file.load(headOf(ends));
  if (held === undefined) return file.begin(headOf(ends));
  if (held.rounds.length === index.rounds.length) return held;
  rounds.distrust();
  return file.keep(index.rounds.length);
}

function knownLogs(index: RoundIndex, previous: ReadonlyMap<string, string>): Map<string, KnownLog> {
  const known = new Map<string, KnownLog>();
  for (const log of index.logIds) {
    const { hostId, last, clock, historiesBefore } = index.partsOf(log).at(-1)!;
    known.set(log, {
      hostId,
      reached: last,
      clock,
      previous: previous.get(log),
      parts: historiesBefore + 1,
    });
  }
  return known;
}

/** The time of most of what arrived: one host's clock that is ahead does not matter. */
function timeOf(arrived: readonly ArrivedEvent[]): string {
  const clocks = arrived.flatMap(({ decoded }) =>
    decoded.kind === "event" ? [decoded.event.header.clock] : [],
  );
  return clocks.sort()[Math.floor(clocks.length / 2)] ?? "";
}
