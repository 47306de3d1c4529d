import type { ReplayBucket, ReplayStep } from "#contracts";
import type { StepWindow } from "../history/step-window.ts";

/** The steps at hand, and whether there are more on either side. */
type StepsAtHand = Pick<StepWindow, "steps" | "moreBefore" | "moreAfter">;

/** A stretch of time, epoch milliseconds. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Bars that are drawn when the steps themselves are at hand. */
const FINE_BARS = 240;

/**
 * What the histogram shows of a stretch: finer bars where all of its steps are at hand, else those of the whole history
 * that lie in it.
 */
export function bucketsIn(
  all: readonly ReplayBucket[],
  range: Range,
  { steps, moreBefore, moreAfter }: StepsAtHand,
): readonly ReplayBucket[] {
  const coarse = all.filter(({ fromMs, toMs }) => toMs >= range.fromMs && fromMs <= range.toMs);
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return coarse;
  const isAtHand = (!moreBefore || first.atMs <= range.fromMs) && (!moreAfter || last.atMs >= range.toMs);
  return isAtHand && coarse.length < FINE_BARS ? fineBuckets(range, steps) : coarse;
}

function fineBuckets({ fromMs, toMs }: Range, steps: readonly ReplayStep[]): ReplayBucket[] {
  const width = (toMs - fromMs) / FINE_BARS;
  const events = new Array<number>(FINE_BARS).fill(0);
  const failures = new Array<number>(FINE_BARS).fill(0);
  for (const { atMs, failure } of steps) {
    if (atMs < fromMs || atMs > toMs) continue;
    const bar = Math.min(FINE_BARS - 1, Math.floor((atMs - fromMs) / width));
    events[bar]! += 1;
    if (failure) failures[bar]! += 1;
  }
  return events.map((count, bar) => ({
    ...{ fromMs: fromMs + bar * width, toMs: fromMs + (bar + 1) * width },
    ...{ events: count, failures: failures[bar]! },
  }));
}

/** A range around a place in it, that much narrower or wider; kept within its bounds. */
export function zoomed(range: Range, aroundMs: number, factor: number, bounds: Range): Range {
  const least = 20;
  const width = Math.max(least, (range.toMs - range.fromMs) * factor);
  if (width >= bounds.toMs - bounds.fromMs) return bounds;
  const share = (aroundMs - range.fromMs) / Math.max(1, range.toMs - range.fromMs);
  return within({ fromMs: aroundMs - share * width, toMs: aroundMs + (1 - share) * width }, bounds);
}

/** The range moved, not squeezed, so that it lies within its bounds. */
export function within({ fromMs, toMs }: Range, bounds: Range): Range {
  const shift = Math.max(0, bounds.fromMs - fromMs) - Math.max(0, toMs - bounds.toMs);
  return { fromMs: Math.max(bounds.fromMs, fromMs + shift), toMs: Math.min(bounds.toMs, toMs + shift) };
}
