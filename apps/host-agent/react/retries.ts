import type { Clock } from "#kernel";

const PAUSE_MS = 1_000;

/**
 * Looks at everything again a moment after something could not be written down: nobody tells when a disk has room or a
 * server answers again. However many failures there are, one look follows.
 */
export class Retries {
  readonly #clock: Clock;
  readonly #look: () => void;
  readonly #stopped = new AbortController();
  #isDue = false;

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  soon(): void {
    if (this.#isDue || this.#stopped.signal.aborted) return;
    this.#isDue = true;
    this.#clock.sleep(PAUSE_MS, this.#stopped.signal).then(
      () => {
        this.#isDue = false;
        this.#look();
      },
      () => {},
    );
  }

  stop(): void {
    this.#stopped.abort();
  }
}
