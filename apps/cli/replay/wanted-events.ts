import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import type { Position } from "#kernel";
import type { Stretch, Timeline, World } from "#timeline";
import { type LogWish, logFilter } from "./log-filter.ts";

/** What the flags ask for, in causal order. */
export async function* wanted(
  timeline: Timeline,
  wish: LogWish,
  since: Moment | undefined,
  until: Moment | undefined,
): AsyncGenerator<RecordedEvent> {
  const { after, world } = since === undefined ? {} : await beforeOf(timeline, since, wish);
  const isWanted = logFilter(wish, world?.view);
  const stretch: Stretch = {
    ...(after === undefined ? {} : { after }),
    ...(until === undefined ? {} : { until }),
    ...(wish.host === undefined ? {} : { hostId: wish.host }),
    ...(wish.machine === undefined ? {} : { machineId: wish.machine }),
    ...(wish.volume === undefined ? {} : { volumeId: wish.volume }),
  };
  for await (const batch of timeline.history.ordered(stretch)) {
    for (const event of batch) if (isWanted(event)) yield event;
  }
}

/** A time counts itself, a position and an event do not: what is shown comes after. */
export async function beforeOf(
  timeline: Timeline,
  since: Moment,
  { app }: LogWish,
): Promise<{ readonly after: Position; readonly world?: World }> {
  const before: Moment = since.kind === "time" ? { kind: "time", atMs: since.atMs - 1 } : since;
  if (app === undefined) return { after: await timeline.position(before) };
  const world = await timeline.at(before);
  return { after: world.position, world };
}
