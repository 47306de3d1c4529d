import type { RecordedEvent } from "#contracts";
import { findMachine, findVolume, listHosts, type Moment } from "#fleet";
import { type Position, RefusedError, refusal } from "#kernel";
import type { Stretch, Timeline, World } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import { wholeNumber } from "../settings.ts";
import { eventLine } from "./event-line.ts";
import { type LogWish, logFilter } from "./log-filter.ts";
import { parseMoment } from "./moment.ts";
import { withTimeline } from "./open-timeline.ts";

export interface LogFlags extends CommonFlags, LogWish {
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
}

/** `drover replay log`. */
export async function log(context: CliContext, flags: LogFlags): Promise<void> {
  const output = context.output(flags);
  const most = flags.limit === undefined ? Infinity : wholeNumber(flags.limit, "--limit", 1, 1e9);
  logFilter(flags);
  await withTimeline(context, flags, output, async ({ timeline }) => {
    const nowMs = context.clock.nowMs();
    const since = flags.since === undefined ? undefined : await parseMoment(timeline, flags.since, nowMs);
    const until = flags.until === undefined ? undefined : await parseMoment(timeline, flags.until, nowMs);
    let shown = 0;
    for await (const event of wanted(timeline, flags, since, until)) {
      output.line(event, eventLine(event));
      shown += 1;
      if (shown === most) return;
    }
    if (shown === 0) await assertKnown(timeline, flags);
  });
}

/** What the flags ask for, in causal order. */
async function* wanted(
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
async function beforeOf(
  timeline: Timeline,
  since: Moment,
  { app }: LogWish,
): Promise<{ readonly after: Position; readonly world?: World }> {
  const before: Moment = since.kind === "time" ? { kind: "time", atMs: since.atMs - 1 } : since;
  if (app === undefined) return { after: await timeline.position(before) };
  const world = await timeline.at(before);
  return { after: world.position, world };
}

/** Nothing was found: because there is nothing, or because a name is wrong (F48). */
async function assertKnown(timeline: Timeline, { host, machine, volume, app }: LogWish): Promise<void> {
  if ([host, machine, volume, app].every((name) => name === undefined)) return;
  const { view } = await timeline.at({ kind: "now" });
  const hosts = listHosts(view).map(({ id }) => id);
  if (host !== undefined && !hosts.includes(host))
    throw new RefusedError(refusal("not_found", `no host ${host}: there are ${hosts.join(", ") || "none"}`));
  if (app !== undefined && !view.control.apps.has(app)) {
    const apps = [...view.control.apps.keys()].join(", ") || "none";
    throw new RefusedError(refusal("not_found", `no app ${app}: there are ${apps}`));
  }
  if (machine !== undefined && findMachine(view, machine) === undefined)
    throw new RefusedError(refusal("not_found", `nothing is told of machine ${machine}: name its whole id`));
  if (volume !== undefined && findVolume(view, volume) === undefined)
    throw new RefusedError(refusal("not_found", `nothing is told of volume ${volume}: name its whole id`));
}
