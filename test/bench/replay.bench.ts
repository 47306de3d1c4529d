import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLEET } from "#event-log";
import type { Moment } from "#fleet";
import { type Extent, type OpenTimelineSettings, openTimeline, type Timeline } from "#timeline";
import { type Figures, percentile, print, rounded } from "./figures.ts";
import { type Cost, consumeAll, costOf } from "./log-fold.ts";
import { ids } from "./log-leaf.ts";
import { ReplayHub } from "./replay-hub.ts";

const DEFAULT_EVENTS = 1_000_000;
const MOMENTS = 200;
/** Of which the best counts: other programs' noise only ever makes one slower. */
const PASSES = 2;
const decoder = new TextDecoder();

/**
 * `drover bench replay`: how fast all of history folds into the whole plane, beside bare NATS and JSON.parse in the same
 * run; what it takes to be at any moment of it, with rounds; and how much memory all of that took.
 */
async function benchReplay(eventCount: number): Promise<Figures> {
  const hub = await ReplayHub.start();
  const directory = await mkdtemp(join(tmpdir(), "drover-bench-replay-"));
  try {
    await hub.fill(eventCount);
    const settings: OpenTimelineSettings = { nc: hub.nc, onUnreadable: failLoudly };
    const before = rssMib();
    const folds = await foldRows(hub, settings, eventCount);
    const built = await costOf(() => openTimeline({ ...settings, directory, build: true }));
    const moments = await momentRows({ ...settings, directory });
    const bytes = await bytesOf(directory);
    return {
      bench: "replay",
      rows: [
        { what: "events of history", count: eventCount },
        ...folds,
        { what: "fold of all of it, rounds written", "per s": perSecond(eventCount, built) },
        { what: "rounds on the disk", "bytes per event": rounded(bytes / eventCount) },
        ...moments,
        { what: "memory: after filling, and the most at any time", mib: `${before} / ${mostMib()}` },
      ],
    };
  } finally {
    await hub.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function foldRows(hub: ReplayHub, settings: OpenTimelineSettings, eventCount: number) {
  const bare: Cost[] = [];
  const folded: Cost[] = [];
  const { timeline } = await openTimeline(settings);
  for (let pass = 0; pass < PASSES; pass += 1) {
    bare.push(
      await costOf(() => consumeAll(hub.nc, FLEET, eventCount, (body) => JSON.parse(decoder.decode(body)))),
    );
    folded.push(await costOf(() => timeline.at({ kind: "now" })));
  }
  const best = (costs: readonly Cost[], key: keyof Cost) => Math.min(...costs.map((cost) => cost[key]));
  const row = (what: string, costs: readonly Cost[]) => ({
    what,
    "per s": Math.round((eventCount / best(costs, "wallMs")) * 1_000),
    // By CPU time: on a busy machine the clock compares the neighbours.
    ratio: rounded(best(bare, "cpuMs") / best(costs, "cpuMs")),
  });
  return [row("bare NATS and JSON.parse", bare), row("fold of all of it by the real deciders", folded)];
}

/** At times, and at events by their ids, all over history. */
async function momentRows(settings: OpenTimelineSettings) {
  const { timeline } = await openTimeline(settings);
  const extent = await timeline.extent();
  const [times, events]: [Cost[], Cost[]] = [[], []];
  const ids: string[] = [];
  for (let index = 0; index < MOMENTS; index += 1) {
    const moment: Moment = { kind: "time", atMs: randomMs(extent) };
    times.push(await costOf(() => timeline.at(moment)));
    if (index < MOMENTS / 10) ids.push(await eventAfter(timeline, moment));
  }
  for (const id of ids) events.push(await costOf(async () => timeline.at((await timeline.momentOf(id))!)));
  const row = (what: string, costs: readonly Cost[]) => ({
    what,
    "p50 ms": Math.round(
      percentile(
        costs.map(({ wallMs }) => wallMs),
        0.5,
      ),
    ),
    "p99 ms": Math.round(
      percentile(
        costs.map(({ wallMs }) => wallMs),
        0.99,
      ),
    ),
    // What it takes of this process alone: on a busy machine the clock tells of the neighbours.
    "p50 CPU ms": Math.round(
      percentile(
        costs.map(({ cpuMs }) => cpuMs),
        0.5,
      ),
    ),
    "p99 CPU ms": Math.round(
      percentile(
        costs.map(({ cpuMs }) => cpuMs),
        0.99,
      ),
    ),
  });
  return [row("at a random time", times), row("at an event, by its id", events)];
}

async function eventAfter(timeline: Timeline, moment: Moment): Promise<string> {
  for await (const [event] of timeline.history.ordered({ after: await timeline.position(moment) })) {
    if (event !== undefined) return event.header.id;
  }
  throw new Error("the moment is the last one");
}

function randomMs({ firstMs, lastMs }: Extent): number {
  return Math.floor(firstMs + ids.random() * (lastMs - firstMs));
}

async function bytesOf(directory: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function perSecond(count: number, { wallMs }: Cost): number {
  return Math.round((count / wallMs) * 1_000);
}

function rssMib(): number {
  return Math.round(process.memoryUsage().rss / 2 ** 20);
}

function mostMib(): number {
  return Math.round(process.resourceUsage().maxRSS / 1_024);
}

function failLoudly(place: string, reason: string): void {
  throw new Error(`${place} ${reason}`);
}

const [events] = process.argv.slice(2).flatMap((word) => /^--events=(\d+)$/.exec(word)?.slice(1) ?? []);
print(await benchReplay(events === undefined ? DEFAULT_EVENTS : Number(events)));
