/** Lets a bounded number of pieces of work run at once and a bounded number wait, in order. */
export class Slots {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  readonly #whenIdle: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs `work`, now or in its turn. Returns false, and forgets it, when too many wait already. */
  run(work: () => Promise<void>): boolean {
    if (this.#running >= this.#limit && this.#waiting.length >= this.#maxWaiting) return false;
    if (this.#running < this.#limit) this.#begin(work);
    else this.#waiting.push(() => this.#begin(work));
    return true;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((done) => this.#whenIdle.push(done));
  }

  #begin(work: () => Promise<void>): void {
    this.#running += 1;
    void work().finally(() => {
      this.#running -= 1;
      this.#waiting.shift()?.();
      if (this.#running === 0) for (const done of this.#whenIdle.splice(0)) done();
    });
  }
}
