import type { RequestTrace } from "#contracts";
import type { Clock } from "#kernel";

/** Traces that may go out at once: a thousand requests that one machine keeps waiting are all told of. */
const BURST = 2_000;
/** How many more may follow each second. The hub has more to do than to keep what a flood of requests was refused for. */
const PER_SECOND = 200;

/**
 * Lets traces go to the hub, and nothing wait for them: what is too much, or cannot be sent, is dropped and counted (F44).
 */
export class TraceOutbox {
  readonly #sent: (trace: RequestTrace) => boolean;
  readonly #dropped: () => void;
  readonly #clock: Clock;
  #room = BURST;
  #roomAtMs: number;

  /** `sent` sends a trace on its way, or says that it cannot. */
  constructor(sent: (trace: RequestTrace) => boolean, dropped: () => void, clock: Clock) {
    this.#sent = sent;
    this.#dropped = dropped;
    this.#clock = clock;
    this.#roomAtMs = clock.monotonicMs();
  }

  send(trace: RequestTrace): void {
    const nowMs = this.#clock.monotonicMs();
    this.#room = Math.min(BURST, this.#room + ((nowMs - this.#roomAtMs) * PER_SECOND) / 1_000);
    this.#roomAtMs = nowMs;
    if (this.#room >= 1 && this.#sent(trace)) this.#room -= 1;
    else this.#dropped();
  }
}
