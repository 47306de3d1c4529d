import type { Moment } from "#fleet";
import type { Timeline } from "#timeline";
import type { SupposedChange } from "./change.ts";
import type { WhatIf } from "./divergence.ts";
import { Supposition } from "./supposition.ts";

export interface WhatIfOptions {
  /** Begins in the world of this moment; with the beginning of history when left out. */
  readonly since?: Moment;
  readonly until?: Moment;
  /** Divergences until it is enough; from the second on, what was decided otherwise has happened. 1 when left out. */
  readonly most?: number;
  /** Is called now and then with the events read so far, and the wall time of the last one. */
  readonly onProgress?: (events: number, at: { readonly nowMs: number }) => void;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

const PROGRESS_EVERY = 10_000;

/** Lives through history with a change, up to the first decision that comes out otherwise. Memory does not grow with it. */
export async function whatif(
  timeline: Timeline,
  change: SupposedChange,
  options: WhatIfOptions = {},
): Promise<WhatIf> {
  const { since, until, most = 1, signal } = options;
  const before = since === undefined ? await timeline.beginning() : await timeline.at(since);
  // Read from here, wherever the supposed world comes to stand: what is refused in it is read, and did not happen.
  const after = { ...before.position };
  const supposition = new Supposition(before, change, most);
  let events = 0;
  for await (const batch of timeline.history.ordered({ after, ...(until === undefined ? {} : { until }) })) {
    for (const event of batch) {
      supposition.take(event);
      events += 1;
      if (events % PROGRESS_EVERY === 0) options.onProgress?.(events, supposition.world);
      if (supposition.isEnough) return supposition.result();
    }
    if (signal?.aborted) break;
  }
  return supposition.result();
}
