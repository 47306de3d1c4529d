import { HASHED_EVERY, hostHash } from "#fleet";
import { HOST_FOLD_VERSION, type Host, hostToJson } from "#hosts";
import type { Clock } from "#kernel";
import type { HostLedger } from "../decisions.ts";

/** Hashes are this far apart at least: one costs 20 ms for a thousand machines, in slices. */
const EVERY_MS = 10_000;
/** For so long nothing is decided where the log's end is hashed: who compares has to be at the same place. */
const QUIET_MS = 500;

/** What the log folds to at one of its places. */
interface Hashed {
  readonly sequence: number;
  readonly foldVersion: number;
  readonly hash: string;
}

/**
 * What this host's log folds to, for those who fold it too (F07): hashed where it rests, and at every 500th event while it
 * does not. A host of which nothing is new hashes nothing.
 */
export class StateHash {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #ledger: HostLedger | undefined;
  #latest: Hashed | undefined;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #isHashing = false;
  #isWaiting = false;
  #decided = 0;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** The last one; undefined before the first. */
  get latest(): Hashed | undefined {
    return this.#latest;
  }

  /** From now on. */
  follow(ledger: HostLedger): void {
    this.#ledger = ledger;
    void this.#waitForQuiet();
  }

  /** To be told of each decision, with the state that it left. */
  onDecided(sequence: number, host: Host): void {
    this.#decided += 1;
    if (sequence % HASHED_EVERY === 0 && this.#isDue()) void this.#hash(sequence, host);
    void this.#waitForQuiet();
  }

  #isDue(): boolean {
    return !this.#isHashing && this.#clock.monotonicMs() >= this.#lastAtMs + EVERY_MS;
  }

  async #waitForQuiet(): Promise<void> {
    if (this.#isWaiting || this.#ledger === undefined) return;
    this.#isWaiting = true;
    try {
      for (let before = -1; before !== this.#decided || !this.#isDue(); ) {
        before = this.#decided;
        const untilDueMs = this.#lastAtMs + EVERY_MS - this.#clock.monotonicMs();
        await this.#clock.sleep(Math.max(QUIET_MS, untilDueMs), this.#signal);
      }
      await this.#hashEnd(this.#ledger);
    } catch {
      // The agent stops.
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Nothing may be awaited between reading the state and its place. */
  async #hashEnd(ledger: HostLedger): Promise<void> {
    const { state, endSequence } = ledger;
    if (endSequence !== this.#latest?.sequence) await this.#hash(endSequence, state);
  }

  async #hash(sequence: number, host: Host): Promise<void> {
    const ledger = this.#ledger;
    // What could not be read is missing here, and may not be missing elsewhere (I10).
    if (ledger === undefined || ledger.quarantined.length > 0) return;
    this.#isHashing = true;
    const json = hostToJson(host);
    try {
      // What is not written down yet may never be.
      await ledger.settled();
      const hash = await hostHash(json);
      this.#latest = { sequence, foldVersion: HOST_FOLD_VERSION, hash };
    } catch {
      // It was not written down: the next one will be.
    } finally {
      this.#isHashing = false;
      this.#lastAtMs = this.#clock.monotonicMs();
    }
  }
}
