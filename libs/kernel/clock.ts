import { setTimeout as sleep } from "node:timers/promises";

/**
 * Time as a port. Deciders never see it: they receive instants as data. Deadlines inside a process are
 * measured with `monotonicMs`, because wall time may jump in either direction (F20).
 */
export abstract class Clock {
  /** Wall time in milliseconds since the Unix epoch. May jump. */
  abstract nowMs(): number;
  /** Milliseconds since an arbitrary point. Never goes back. */
  abstract monotonicMs(): number;
  /** Resolves after `durationMs` of monotonic time; rejects with an `AbortError` when `signal` fires first. */
  abstract sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** The real clock of this machine. The only place that reads it. */
export class SystemClock extends Clock {
  override nowMs(): number {
    return Date.now();
  }
  override monotonicMs(): number {
    return performance.now();
  }
  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    await sleep(durationMs, undefined, signal === undefined ? {} : { signal });
  }
}
