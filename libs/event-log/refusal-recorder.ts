import type { Clock, Refusal } from "#kernel";
import { RefusalTally } from "./refusal-tally.ts";

/** What was refused, and why. */
export interface Refused<C> {
  readonly command: C;
  readonly reason: Refusal;
}

/** Has refusals written down, the first of a kind at once, its repeats as one count when their window ends. */
export class RefusalRecorder<C> {
  readonly #clock: Clock;
  readonly #record: (refused: Refused<C>, count: number) => void;
  readonly #tally = new RefusalTally<Refused<C>>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(clock: Clock, record: (refused: Refused<C>, count: number) => void) {
    this.#clock = clock;
    this.#record = record;
  }

  /** `key` tells kinds apart. */
  note(key: string, refused: Refused<C>): void {
    if (this.#tally.note(key, refused, this.#clock.monotonicMs())) this.#record(refused, 1);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const delayMs = this.#tally.nextEndMs(this.#clock.monotonicMs());
    if (this.#stopped || this.#timer !== undefined || delayMs === undefined) return;
    // Repeats are counted for a while before they are worth an event.
    this.#timer = setTimeout(() => this.#onWindowEnd(), delayMs);
    this.#timer.unref();
  }

  #onWindowEnd(): void {
    this.#timer = undefined;
    const ended = this.#tally.takeEnded(this.#clock.monotonicMs());
    for (const { item, count } of ended) this.#record(item, count);
    this.#schedule();
  }
}
