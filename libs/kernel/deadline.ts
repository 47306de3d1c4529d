import type { Clock } from "./clock.ts";

/** A point on the monotonic clock by which something has to have ended: wall time may jump (F20). */
export class Deadline {
  readonly #clock: Clock;
  readonly #atMs: number;

  constructor(clock: Clock, durationMs: number) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs() + durationMs;
  }

  /** Whole milliseconds that are left; 0 once it has passed. */
  remainingMs(): number {
    return Math.max(0, Math.floor(this.#atMs - this.#clock.monotonicMs()));
  }

  passed(): boolean {
    return this.remainingMs() === 0;
  }
}
