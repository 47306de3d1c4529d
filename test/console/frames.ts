import type { Page } from "playwright-core";

/** How smooth a page was for some time, milliseconds. */
export interface Frames {
  readonly count: number;
  /** Between two frames. */
  readonly gapP50: number;
  readonly gapP99: number;
  readonly gapMost: number;
  /** What the page's own code took of a frame. */
  readonly workP50: number;
  readonly workP99: number;
  readonly workMost: number;
  /** The longest that the page could not answer. */
  readonly blockedMost: number;
}

/** To be run before the page: notes what each frame takes. */
export const WATCH_FRAMES = `
  window.frames = { gaps: [], work: [], blocked: [] };
  const ask = window.requestAnimationFrame.bind(window);
  let spent = 0, frameAt = 0;
  window.requestAnimationFrame = (act) => ask((at) => {
    const begun = performance.now();
    act(at);
    const took = performance.now() - begun;
    if (at === frameAt) { spent += took; return; }
    if (frameAt > 0) { window.frames.gaps.push(at - frameAt); window.frames.work.push(spent); }
    frameAt = at; spent = took;
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.frames.blocked.push(entry.duration);
  }).observe({ type: "longtask", buffered: true });
`;

/** Forgets what was noted so far. */
export async function forgetFrames(page: Page): Promise<void> {
  await page.evaluate(
    "window.frames.gaps.length = window.frames.work.length = window.frames.blocked.length = 0",
  );
}

/**
 * Tells how much processor time the page's main thread takes from now on, milliseconds: unlike wall time, others on the
 * machine do not add to it.
 */
export async function watchProcessor(page: Page): Promise<() => Promise<number>> {
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return 1_000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0);
  };
  const before = await read();
  return async () => (await read()) - before;
}

export async function readFrames(page: Page): Promise<Frames> {
  const noted = await page.evaluate<{ gaps: number[]; work: number[]; blocked: number[] }>("window.frames");
  const at = (values: number[], share: number) =>
    [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
  return {
    count: noted.gaps.length,
    ...{ gapP50: at(noted.gaps, 0.5), gapP99: at(noted.gaps, 0.99), gapMost: at(noted.gaps, 1) },
    ...{ workP50: at(noted.work, 0.5), workP99: at(noted.work, 0.99), workMost: at(noted.work, 1) },
    blockedMost: Math.max(0, ...noted.blocked),
  };
}
