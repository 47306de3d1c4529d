import type { HubEnds } from "#event-log";
import { FLEET_FOLD_VERSION } from "#fleet";
import { Arrivals, ArrivalsChangedError } from "./arrivals.ts";
import { IndexFile } from "./index-file.ts";
import { type IndexHead, ROUND_EVENTS } from "./round.ts";
import { RoundIndex } from "./round-index.ts";
import { Tail } from "./tail.ts";

const FORMAT = 1;
/** FLEET may be made anew under a question's feet; not again and again. */
const MOST_CHANGES = 4;

/** A list of rounds that was compared with FLEET, as long as it was then. */
interface CheckedIndex {
  readonly of: RoundIndex;
  readonly rounds: number;
  readonly created: string;
  /** As much of it as FLEET agreed with. */
  readonly index: RoundIndex;
}

/** What there is at one moment: where the hub's streams end, and the rounds that tell of what they hold. */
export interface RoundsNow {
  readonly ends: HubEnds;
  /** Empty where nobody made rounds. */
  readonly index: RoundIndex;
}

/** The rounds of a directory, beside the hub that they are of. Without a directory there are none, and all still works. */
export class Rounds {
  readonly arrivals: Arrivals;
  readonly tail: Tail;
  readonly file: IndexFile | undefined;
  /** Events after which a round ends. */
  readonly roundEvents: number;
  readonly #damageListeners = new Set<() => void>();
  #checked: CheckedIndex | undefined;

  constructor(
    nc: ConstructorParameters<typeof Arrivals>[0],
    directory: string | undefined,
    roundEvents: number = ROUND_EVENTS,
  ) {
    this.roundEvents = roundEvents;
    this.arrivals = new Arrivals(nc);
    this.tail = new Tail(this.arrivals);
    this.file = directory === undefined ? undefined : new IndexFile(directory);
  }

  async now(): Promise<RoundsNow> {
    const ends = await this.arrivals.ends();
    const head = headOf(ends);
    const index = await this.file?.load(head);
    if (index?.last === undefined) return { ends, index: new RoundIndex(head) };
    return { ends, index: await this.#trusted(index, ends) };
  }

  /** Asks `question` of what there is now; once more, where FLEET turns out not to be what rounds were made of. */
  async ask<T>(question: (now: RoundsNow) => Promise<T>): Promise<T> {
    for (let changes = 0; ; changes += 1) {
      try {
        return await question(await this.now());
      } catch (thrown) {
        if (!(thrown instanceof ArrivalsChangedError) || changes === MOST_CHANGES) throw thrown;
        this.distrust();
      }
    }
  }

  /** Calls `listener` when a round turns out to be damaged. Returns the way to stop that. */
  onDamaged(listener: () => void): () => void {
    this.#damageListeners.add(listener);
    return () => this.#damageListeners.delete(listener);
  }

  damaged(): void {
    for (const listener of this.#damageListeners) listener();
  }

  /** FLEET is not what it was: the rounds are compared with it again. */
  distrust(): void {
    this.#checked = undefined;
    this.arrivals.forget();
  }

  /** The first rounds, as many as FLEET still agrees with. Looked at once for each state of the list. */
  async #trusted(index: RoundIndex, { fleet, fleetCreated: created }: HubEnds): Promise<RoundIndex> {
    const rounds = index.rounds.length;
    const checked = this.#checked;
    const isHeld = checked !== undefined && (checked.index.last?.fleet ?? 0) <= fleet;
    const isSame = checked?.of === index && checked.rounds === rounds && checked.created === created;
    if (isHeld && isSame) return checked.index;
    const agreed = await this.#agreedRounds(index, fleet);
    const trusted = agreed === rounds ? index : index.prefix(agreed);
    this.#checked = { of: index, rounds, created, index: trusted };
    return trusted;
  }

  /** A FLEET that lost its end and got another one agrees with the rounds before that place, and with none after it. */
  async #agreedRounds(index: RoundIndex, fleet: number): Promise<number> {
    const agrees = async (count: number) => {
      const round = index.round(count);
      return round.fleet <= fleet && (await this.arrivals.holdsEndOf(round));
    };
    let [low, high] = [0, index.rounds.length];
    if (await agrees(high)) return high;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (await agrees(middle)) low = middle;
      else high = middle;
    }
    return low;
  }
}

export function headOf({ controlLog, fleetCreated }: HubEnds): IndexHead {
  return { format: FORMAT, foldVersion: FLEET_FOLD_VERSION, controlLog, fleetCreated };
}
