import type { Clock } from "./clock.ts";

/**
 * A hybrid logical clock reading (Kulkarni et al. 2014): 12 hex digits of milliseconds, a dash and 4 hex digits
 * of counter. Fixed width, so that comparing the strings compares the instants.
 */
export type HybridTime = string;

const MAX_COUNTER = 0xffff;
/** A remote clock further ahead than this is not merged: one broken clock must not drag the fleet along (F20). */
export const MAX_DRIFT_MS = 60_000;

/** Formats a reading. `milliseconds` since the Unix epoch, `counter` 0…65535. */
export function formatHybridTime(milliseconds: number, counter: number): HybridTime {
  return `${milliseconds.toString(16).padStart(12, "0")}-${counter.toString(16).padStart(4, "0")}`;
}

/** The wall-clock part of a reading, in milliseconds since the Unix epoch. */
export function wallMsOf(time: HybridTime): number {
  return Number.parseInt(time.slice(0, 12), 16);
}

/** Orders events across hosts; within one log the sequence orders them, never this clock (F20). */
export class HybridClock {
  readonly #clock: Clock;
  #lastMs = 0;
  #counter = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A reading greater than all that this clock gave or merged before, even when wall time jumped back. */
  tick(): HybridTime {
    this.#advance(this.#clock.nowMs());
    return formatHybridTime(this.#lastMs, this.#counter);
  }

  /** Takes note of a reading met in an event. Returns false, and ignores it, when it is more than `MAX_DRIFT_MS` ahead. */
  merge(seen: HybridTime): boolean {
    const seenMs = wallMsOf(seen);
    if (seenMs > this.#clock.nowMs() + MAX_DRIFT_MS) return false;
    const seenCounter = Number.parseInt(seen.slice(13), 16);
    if (seenMs > this.#lastMs || (seenMs === this.#lastMs && seenCounter > this.#counter)) {
      this.#lastMs = seenMs;
      this.#counter = seenCounter;
    }
    return true;
  }

  /** Continues after the last reading found in a log, however far ahead: what is written is written. */
  resume(last: HybridTime): void {
    this.#lastMs = Math.max(this.#lastMs, wallMsOf(last));
    this.#counter = MAX_COUNTER;
  }

  #advance(nowMs: number): void {
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#counter = 0;
    } else if (this.#counter < MAX_COUNTER) {
      this.#counter += 1;
    } else {
      this.#lastMs += 1;
      this.#counter = 0;
    }
  }
}
