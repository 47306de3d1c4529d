/** Turns a listener into something that can be awaited, without losing what happens between two waits. */
export class Changes {
  readonly #unsubscribe: () => void;
  #pending = false;
  #wake: (() => void) | undefined;

  /** `subscribe` registers a listener and returns what takes it away again. */
  constructor(subscribe: (notify: () => void) => () => void) {
    this.#unsubscribe = subscribe(() => {
      this.#pending = true;
      this.#wake?.();
    });
  }

  /** Resolves at the next change, or at once when one came since the last wait; also after `timeoutMs` and on abort. */
  async next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
        signal.addEventListener("abort", this.#wake, { once: true });
      });
    }
    this.#wake = undefined;
    this.#pending = false;
  }

  close(): void {
    this.#unsubscribe();
  }
}
