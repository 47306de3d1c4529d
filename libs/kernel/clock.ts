/**
 * Time as a port. Deciders never see it: they receive instants as data. Deadlines inside a process are
 * measured with `monotonicMs`, because wall time may jump in either direction (F20).
 */
export abstract class Clock {
  /** Wall time in milliseconds since the Unix epoch. May jump. */
  abstract nowMs(): number;
  /** Milliseconds since an arbitrary point. Never goes back. */
  abstract monotonicMs(): number;
  /** Resolves after `durationMs` of monotonic time; rejects with the reason of `signal` when that fires first. */
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
  /** By hand: a sleep of `node:timers/promises` that is called off makes an error with its stack, and most are. */
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((wake, fail) => {
      if (signal?.aborted) return fail(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        fail(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        wake();
      }, durationMs);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}
