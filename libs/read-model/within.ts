import type { Clock } from "#kernel";

/** The outcome of `work`, or a rejection when it takes longer: a server that is frozen says nothing at all. */
export async function within<T>(clock: Clock, durationMs: number, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(durationMs, done.signal).then(
    () => Promise.reject(new Error(`no answer within ${durationMs} ms`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    work.catch(() => undefined);
  }
}
