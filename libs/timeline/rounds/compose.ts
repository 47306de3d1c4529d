import { join } from "node:path";
import { emptyFleet, type FleetView, forgetMachine, forgetVolume, type Moment } from "#fleet";
import { wallMsOf } from "#kernel";
import { World } from "../world.ts";
import { type BlockPlace, readBlock, textOf, type WholeBlock } from "./block-file.ts";
import { LateHistories } from "./late-histories.ts";
import { type Forgotten, fleetFromControl, putLogState } from "./parts.ts";
import { controlKey, forgottenKey, historiesKey, stateKey } from "./recorder.ts";
import { roundFile } from "./round.ts";
import type { LogCut, PlacedPart, RoundIndex } from "./round-index.ts";

/** A world made of parts, all of which count at a moment, and what has to be read to get there. */
export interface Composed {
  readonly world: World;
  /** CONTROL's last sequence that the world includes. */
  readonly control: number;
  readonly cuts: ReadonlyMap<string, LogCut>;
  /** Logs that another one followed: by the later one. */
  readonly previous: ReadonlyMap<string, string>;
}

/** A block that is not whole: it is passed over from now on. */
class DamagedError extends Error {
  readonly key: string;
  readonly round: number;

  constructor(key: string, round: number) {
    super(`the block ${key} is damaged`);
    this.key = key;
    this.round = round;
  }
}

/**
 * Puts the world together of the newest parts that count at a moment. Parts of logs are of different rounds where a log
 * arrived late; CONTROL's part lacks what hosts forgot, so it is taken of a round before which no host forgot more than
 * counts, and what hosts forgot between that round and their own parts' is dropped from it here. Undefined where damage
 * leaves nothing to begin with.
 */
export async function compose(
  directory: string,
  index: RoundIndex,
  moment: Moment,
): Promise<Composed | undefined> {
  for (;;) {
    try {
      return await new Composition(directory, index, moment).make();
    } catch (thrown) {
      if (!(thrown instanceof DamagedError)) throw thrown;
      index.damage(thrown.key, thrown.round);
      // Without what a host forgot, no later part of it fits CONTROL's.
      if (thrown.key.startsWith("forgotten")) return undefined;
    }
  }
}

class Composition {
  readonly #directory: string;
  readonly #index: RoundIndex;
  readonly #moment: Moment;
  readonly #cuts = new Map<string, LogCut>();
  readonly #previous = new Map<string, string>();

  constructor(directory: string, index: RoundIndex, moment: Moment) {
    this.#directory = directory;
    this.#index = index;
    this.#moment = moment;
  }

  async make(): Promise<Composed> {
    const index = this.#index;
    const isUsable = (part: PlacedPart) => this.#isUsable(part);
    for (const log of index.logIds) this.#cuts.set(log, index.cut(log, this.#moment, isUsable));
    const isReadable = (round: number) => !index.isDamaged(controlKey(index.round(round)));
    const from = index.controlPartAt(this.#latestRound(), isReadable);
    const base = from === 0 ? 0 : Math.min(this.#latestRound(), index.controlStandsUntil(from));
    const view = await this.#control(from);
    const parts = [...this.#cuts.values()].flatMap(({ part }) => part ?? []);
    await Promise.all(parts.map((part) => this.#putLog(view, part)));
    await this.#forget(view, base);
    const control = index.controlSequenceAt(base);
    const clocks = [...parts.map(({ clock }) => clock), index.controlClockAt(base)];
    const position = Object.fromEntries(parts.map(({ log, last }) => [log, last]));
    const all = control === 0 ? position : { ...position, [index.head.controlLog]: control };
    const nowMs = Math.max(0, ...clocks.map((clock) => (clock === "" ? 0 : wallMsOf(clock))));
    return { world: new World(view, all, nowMs), control, cuts: this.#cuts, previous: this.#previous };
  }

  /** The last round that no log is behind in what its host forgot, and CONTROL is not ahead of. */
  #latestRound(): number {
    let latest = this.#index.controlCut(this.#moment);
    for (const [log, { part }] of this.#cuts) {
      const forgot = this.#index.nextForgetful(log, part?.round ?? 0);
      if (forgot !== undefined) latest = Math.min(latest, forgot - 1);
    }
    return latest;
  }

  #isUsable(part: PlacedPart): boolean {
    const index = this.#index;
    if (index.isDamaged(stateKey(part.log, part.last))) return false;
    return index.historiesOf(part).every(({ log, last }) => !index.isDamaged(historiesKey(log, last)));
  }

  async #control(round: number): Promise<FleetView> {
    if (round === 0) return emptyFleet();
    const whole = this.#index.round(round);
    return fleetFromControl(await this.#text(round, controlKey(whole), whole.controlPart!.state));
  }

  async #putLog(view: FleetView, part: PlacedPart): Promise<void> {
    const { log, last, round, state } = part;
    const [text, ...histories] = await Promise.all([
      this.#text(round, stateKey(log, last), state),
      ...this.#index
        .historiesOf(part)
        .map((each) => this.#block(each.round, historiesKey(log, each.last), each.histories)),
    ]);
    const previous = putLogState(view, log, text, (isThere) => new LateHistories(histories, isThere));
    if (previous !== undefined) this.#previous.set(log, previous);
  }

  async #forget(view: FleetView, base: number): Promise<void> {
    for (const [log, { part }] of this.#cuts) {
      for (const { round, last, forgotten } of this.#index.forgetfulBetween(log, base, part?.round ?? 0)) {
        const text = await this.#text(round, forgottenKey(log, last), forgotten!);
        const { machines, volumes } = JSON.parse(text) as Forgotten;
        for (const departure of machines) forgetMachine(view, departure);
        for (const volume of volumes) forgetVolume(view, volume);
      }
    }
  }

  async #text(round: number, key: string, place: BlockPlace): Promise<string> {
    return textOf(await this.#block(round, key, place));
  }

  async #block(round: number, key: string, place: BlockPlace): Promise<WholeBlock> {
    const block = await readBlock(join(this.#directory, roundFile(round)), key, place);
    if (block === undefined) throw new DamagedError(key, round);
    return block;
  }
}
