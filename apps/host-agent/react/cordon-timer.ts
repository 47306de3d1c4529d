import type { HostLogEvent, RecordedEvent } from "#contracts";
import type { Clock } from "#kernel";
import type { Decisions } from "../decisions.ts";

/** A cordon's end is a time of day, and clocks are set: nobody tells when, so it looks at least this often (F20). */
const LOOK_EVERY_MS = 30_000;

/**
 * Ends the cordon whose time is up, whether or not somebody remembers it (F24). It follows from the host's state: a
 * restart changes nothing.
 */
export class CordonTimer {
  readonly #decisions: Decisions;
  readonly #clock: Clock;
  readonly #onTrouble: (thrown: unknown) => void;
  #running: AbortController | undefined;

  constructor(decisions: Decisions, clock: Clock, onTrouble: (thrown: unknown) => void) {
    this.#decisions = decisions;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  /** Follows the log: a cordon begins, is renewed, or ends. */
  onEvent({ type }: RecordedEvent<HostLogEvent>): void {
    if (type === "HostCordoned" || type === "HostUncordoned") this.align();
  }

  /** Ends a cordon that is over, and looks again at the end of one that is not. */
  align(): void {
    this.stop();
    const { cordon } = this.#decisions.host;
    if (cordon === undefined) return;
    const leftMs = cordon.expiresAtMs - this.#clock.nowMs();
    if (leftMs > 0) this.#lookIn(Math.min(leftMs, LOOK_EVERY_MS));
    else this.#decisions.own({ type: "ExpireCordon" }).catch(this.#onTrouble);
  }

  stop(): void {
    this.#running?.abort("over");
    this.#running = undefined;
  }

  #lookIn(durationMs: number): void {
    const timer = new AbortController();
    this.#running = timer;
    this.#clock.sleep(durationMs, timer.signal).then(
      () => this.align(),
      () => {},
    );
  }
}
