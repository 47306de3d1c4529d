/** Repeats of the same refusal within this time are counted, not written down one by one. */
const WINDOW_MS = 60_000;
/** Different refusals that are told apart. A caller who makes up names must not fill the log. */
const MAX_KEYS = 256;

interface Tallied<T> {
  /** The latest one. */
  item: T;
  count: number;
  readonly untilMs: number;
}

/** Refusals are worth an event, but not one each: the first goes through at once, its repeats as one count later. */
export class RefusalTally<T> {
  readonly #tallied = new Map<string, Tallied<T>>();

  /** Whether this one is to be written down now. Times are monotonic milliseconds. */
  note(key: string, item: T, nowMs: number): boolean {
    const known = this.#tallied.get(key);
    if (known !== undefined) {
      known.item = item;
      known.count += 1;
      return false;
    }
    if (this.#tallied.size >= MAX_KEYS) return false;
    this.#tallied.set(key, { item, count: 0, untilMs: nowMs + WINDOW_MS });
    return true;
  }

  /** Milliseconds until the next window ends; undefined when none is open. */
  nextEndMs(nowMs: number): number | undefined {
    // Windows are equally long, so the oldest one is the first to end.
    const oldest = this.#tallied.values().next().value;
    return oldest === undefined ? undefined : Math.max(0, oldest.untilMs - nowMs);
  }

  /** Closes the windows that have ended; those with repeats are to be written down with their count. */
  takeEnded(nowMs: number): { readonly item: T; readonly count: number }[] {
    const ended: { item: T; count: number }[] = [];
    for (const [key, { item, count, untilMs }] of this.#tallied) {
      if (untilMs > nowMs) break;
      this.#tallied.delete(key);
      if (count > 0) ended.push({ item, count });
    }
    return ended;
  }
}
