import { type Clock, type HybridTime, MAX_DRIFT_MS, wallMsOf } from "#kernel";

/**
 * Tells once when this machine's clock and that of somebody it hears of are far apart (F20). Nothing depends on it:
 * order comes from sequence, deadlines from the monotonic clock. But people read times, and should know.
 */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #raise: (message: string) => void;
  #isTold = false;

  constructor(clock: Clock, raise: (message: string) => void) {
    this.#clock = clock;
    this.#raise = raise;
  }

  /** `seen`: a reading met in an event or a request. `whose`: for people, "a caller". */
  note(seen: HybridTime | undefined, whose: string): void {
    if (seen === undefined || this.#isTold) return;
    const aheadMs = this.#clock.nowMs() - wallMsOf(seen);
    if (Math.abs(aheadMs) <= MAX_DRIFT_MS) return;
    this.#isTold = true;
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    const how = aheadMs > 0 ? "ahead of" : "behind";
    this.#raise(`the clock of this machine is ${seconds} s ${how} that of ${whose}: set the wrong one right`);
  }
}
