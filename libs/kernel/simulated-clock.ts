import { Clock } from "./clock.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A clock for simulations: time passes when it is told to. Wall time may be made to jump (F20). */
export class SimulatedClock extends Clock {
  #nowMs: number;
  #monotonicMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(nowMs = 1_764_000_000_000) {
    super();
    this.#nowMs = nowMs;
  }

  override nowMs(): number {
    return this.#nowMs;
  }
  override monotonicMs(): number {
    return this.#monotonicMs;
  }

  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (durationMs <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        dueMs: this.#monotonicMs + durationMs,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Sets wall time forward or back. Whoever sleeps does not notice. */
  jump(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Lets time pass and everybody work whom it wakes, in the order in which they are due. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#monotonicMs + durationMs;
    await othersWorked();
    for (let next = this.#next(); next !== undefined && next.dueMs <= endMs; next = this.#next()) {
      await this.#wake(next);
    }
    this.#advanceTo(endMs);
  }

  /** Lets time pass until nobody sleeps, for `limitMs` at the most. Says whether that was so. */
  async passUntilIdle(limitMs: number): Promise<boolean> {
    const endMs = this.#monotonicMs + limitMs;
    await othersWorked();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (next.dueMs > endMs) return false;
      await this.#wake(next);
    }
    return true;
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (first === undefined || sleeper.dueMs < first.dueMs) first = sleeper;
    }
    return first;
  }

  async #wake(sleeper: Sleeper): Promise<void> {
    this.#advanceTo(sleeper.dueMs);
    this.#sleepers.delete(sleeper);
    sleeper.wake();
    await othersWorked();
  }

  #advanceTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Resolves once every promise that can settle without time passing has settled. */
function othersWorked(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
