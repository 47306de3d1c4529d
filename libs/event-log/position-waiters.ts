import type { Clock, Position } from "#kernel";

/** Readers that wait until a fold includes what they wrote. */
export class PositionWaiters {
  readonly #clock: Clock;
  readonly #includes: (position: Position) => boolean;
  readonly #waiting = new Map<AbortController, Position>();

  constructor(clock: Clock, includes: (position: Position) => boolean) {
    this.#clock = clock;
    this.#includes = includes;
  }

  /** True as soon as `position` is included; false after `deadlineMs` milliseconds, or when `signal` fires. */
  async wait(position: Position, deadlineMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#includes(position)) return true;
    const reached = new AbortController();
    this.#waiting.set(reached, position);
    const signals = signal === undefined ? [reached.signal] : [reached.signal, signal];
    // Until it is aborted by `look`, by the caller, or not at all: all three are an answer.
    await this.#clock.sleep(deadlineMs, AbortSignal.any(signals)).catch(() => undefined);
    this.#waiting.delete(reached);
    return this.#includes(position);
  }

  /** To be called whenever the fold went on. */
  look(): void {
    for (const [reached, position] of this.#waiting) if (this.#includes(position)) reached.abort("reached");
  }
}
