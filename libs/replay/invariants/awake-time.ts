import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";

/**
 * Of the time between two events of a log no more than this counts. A clock that was set (F20), a host that slept and an
 * agent that was away all look like a long silence, and in none of them could anybody have kept a deadline.
 */
const MOST_OF_A_GAP_MS = 10_000;

/** How long a host can be shown to have been at work, by the clocks of its own log alone: late arrivals change nothing. */
export class AwakeTime {
  #lastMs: number | undefined;
  #awakeMs = 0;

  /** Milliseconds since the first event. */
  get ms(): number {
    return this.#awakeMs;
  }

  /** Takes note of the log's next event. */
  note(event: RecordedEvent): void {
    const atMs = wallMsOf(event.header.clock);
    const gapMs = this.#lastMs === undefined ? 0 : atMs - this.#lastMs;
    this.#awakeMs += Math.max(0, Math.min(gapMs, MOST_OF_A_GAP_MS));
    this.#lastMs = atMs;
  }
}

/** Things that are due, by id, in a host's own time. */
export class Due<T> {
  readonly #byId = new Map<string, { readonly dueMs: number; readonly what: T }>();
  #soonestMs = Number.POSITIVE_INFINITY;

  set(id: string, dueMs: number, what: T): void {
    this.#byId.set(id, { dueMs, what });
    this.#soonestMs = Math.min(this.#soonestMs, dueMs);
  }

  get(id: string): T | undefined {
    return this.#byId.get(id)?.what;
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  /** Gives everything more time: its time begins anew. */
  postpone(nowMs: number, timeOf: (what: T) => number): void {
    const all = [...this.#byId];
    this.#soonestMs = Number.POSITIVE_INFINITY;
    for (const [id, { what }] of all) this.set(id, nowMs + timeOf(what), what);
  }

  /** Takes out what is overdue. Costs nothing while nothing is. */
  overdue(nowMs: number): [id: string, what: T][] {
    if (nowMs <= this.#soonestMs) return [];
    const late: [string, T][] = [];
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const [id, { dueMs, what }] of this.#byId) {
      if (dueMs < nowMs) late.push([id, what]);
      else soonestMs = Math.min(soonestMs, dueMs);
    }
    for (const [id] of late) this.#byId.delete(id);
    this.#soonestMs = soonestMs;
    return late;
  }
}
