import type { ReplayExtent } from "#contracts";

/** A quarter more than the guess: going back once more costs more than walking over a few. */
const MARGIN = 1.25;

/** How far back from `endMs` one has to look for about `count` events, milliseconds: all the way when there are fewer. */
export function windowBefore({ firstMs, buckets }: ReplayExtent, endMs: number, count: number): number {
  let missing = count * MARGIN;
  for (const { fromMs, toMs, events } of buckets.toReversed()) {
    if (fromMs > endMs || events === 0) continue;
    const reachedMs = Math.min(toMs, endMs + 1);
    const perMs = events / (toMs - fromMs);
    const here = perMs * (reachedMs - fromMs);
    if (here >= missing) return Math.max(1, endMs + 1 - (reachedMs - missing / perMs));
    missing -= here;
  }
  return Math.max(1, endMs - firstMs + 1);
}
