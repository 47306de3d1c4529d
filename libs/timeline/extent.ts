import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";
import { isFailure } from "./summary.ts";

/** So many events, in a stretch of time. */
export interface ExtentBucket {
  /** Epoch milliseconds, included. */
  readonly fromMs: number;
  /** Epoch milliseconds, not included. */
  readonly toMs: number;
  readonly events: number;
  /** Of these, the events that tell of something that went wrong: see `isFailure`. */
  readonly failures: number;
}

/** How much history there is. Times are the events' own clocks'; both are 0 when there are no events. */
export interface Extent {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly events: number;
  /** At most `MOST_BUCKETS`, one after the other from first to last, each as long as the others. */
  readonly buckets: readonly ExtentBucket[];
}

/** Events counted together, as they arrived: times of several slices may overlap. */
export interface Slice {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly events: number;
  readonly failures: number;
}

export const MOST_BUCKETS = 600;
/** Beyond so many slices in memory, neighbours are counted together. */
const MOST_SLICES = 4_096;
const FIRST_SLICE_EVENTS = 16;

/** Counts events in slices, of whatever number there are: memory does not grow with it. */
export class Census {
  #slices: Slice[] = [];
  #eventsPerSlice = FIRST_SLICE_EVENTS;
  #open: { firstMs: number; lastMs: number; events: number; failures: number } | undefined;

  count(event: RecordedEvent): void {
    const ms = wallMsOf(event.header.clock);
    const failures = isFailure(event) ? 1 : 0;
    const open = this.#open;
    if (open === undefined) {
      this.#open = { firstMs: ms, lastMs: ms, events: 1, failures };
      return;
    }
    open.firstMs = Math.min(open.firstMs, ms);
    open.lastMs = Math.max(open.lastMs, ms);
    open.events += 1;
    open.failures += failures;
    if (open.events >= this.#eventsPerSlice) this.#close(open);
  }

  slices(): Slice[] {
    return this.#open === undefined ? [...this.#slices] : [...this.#slices, { ...this.#open }];
  }

  #close(slice: Slice): void {
    this.#slices.push(slice);
    this.#open = undefined;
    if (this.#slices.length < MOST_SLICES) return;
    this.#slices = inPairs(this.#slices);
    this.#eventsPerSlice *= 2;
  }
}

function inPairs(slices: readonly Slice[]): Slice[] {
  const pairs: Slice[] = [];
  for (let index = 0; index < slices.length; index += 2) {
    const [a, b] = [slices[index]!, slices[index + 1]];
    pairs.push(
      b === undefined
        ? a
        : {
            firstMs: Math.min(a.firstMs, b.firstMs),
            lastMs: Math.max(a.lastMs, b.lastMs),
            events: a.events + b.events,
            failures: a.failures + b.failures,
          },
    );
  }
  return pairs;
}

/** Slices of whatever times as buckets of equal length. A slice counts where its middle is. */
export function extentOf(slices: readonly Slice[]): Extent {
  if (slices.length === 0) return { firstMs: 0, lastMs: 0, events: 0, buckets: [] };
  let [firstMs, lastMs, events] = [Infinity, 0, 0];
  for (const slice of slices) {
    firstMs = Math.min(firstMs, slice.firstMs);
    lastMs = Math.max(lastMs, slice.lastMs);
    events += slice.events;
  }
  const count = Math.max(1, Math.min(MOST_BUCKETS, slices.length));
  const lengthMs = Math.max(1, Math.ceil((lastMs + 1 - firstMs) / count));
  const buckets = Array.from({ length: Math.ceil((lastMs + 1 - firstMs) / lengthMs) }, (_, index) => {
    const fromMs = firstMs + index * lengthMs;
    return { fromMs, toMs: fromMs + lengthMs, events: 0, failures: 0 };
  });
  for (const slice of slices) {
    const middleMs = Math.floor((slice.firstMs + slice.lastMs) / 2);
    const bucket = buckets[Math.floor((middleMs - firstMs) / lengthMs)]!;
    bucket.events += slice.events;
    bucket.failures += slice.failures;
  }
  return { firstMs, lastMs, events, buckets };
}
