import type { RecordedEvent } from "#contracts";
import { findMachine, findVolume, listHosts, type Moment } from "#fleet";
import { RefusedError, refusal } from "#kernel";
import type { Timeline } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import { wholeNumber } from "../settings.ts";
import { named } from "./check-scope.ts";
import { eventLine } from "./event-line.ts";
import { type LogWish, logFilter } from "./log-filter.ts";
import { followLog } from "./log-follow.ts";
import { parseMoment } from "./moment.ts";
import { withTimeline } from "./open-timeline.ts";
import { wanted } from "./wanted-events.ts";

export interface LogFlags extends CommonFlags, LogWish {
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly follow?: boolean;
}

/** `drover replay log`. */
export async function log(context: CliContext, flags: LogFlags): Promise<void> {
  const output = context.output(flags);
  const most = flags.limit === undefined ? Infinity : wholeNumber(flags.limit, "--limit", 1, 1e9);
  logFilter(flags);
  await withTimeline(context, flags, output, async ({ timeline, hub }) => {
    const nowMs = context.clock.nowMs();
    const since = flags.since === undefined ? undefined : await parseMoment(timeline, flags.since, nowMs);
    const until = flags.until === undefined ? undefined : await parseMoment(timeline, flags.until, nowMs);
    const wish = await withIds(timeline, flags, until);
    let shown = 0;
    const show = (event: RecordedEvent) => {
      output.line(event, eventLine(event));
      shown += 1;
      return shown < most;
    };
    if (flags.follow === true) {
      if (hub === undefined) throw new RefusedError(refusal("invalid", "--follow: a file does not go on"));
      if (until !== undefined) throw new RefusedError(refusal("invalid", "--follow and --until: name one"));
      const ground = { timeline, nc: hub, clock: context.clock, output };
      return followLog(ground, wish, since, show);
    }
    for await (const event of wanted(timeline, wish, since, until)) if (!show(event)) return;
    if (shown === 0) await assertKnown(timeline, wish);
  });
}

/** Machines and volumes by their ids. An id is taken as it is: to look for it would fold all of history (F15). */
async function withIds(timeline: Timeline, wish: LogWish, until: Moment | undefined): Promise<LogWish> {
  const idOf = async (kind: "machine" | "volume", text: string | undefined) => {
    const isName = text !== undefined && !/^([0-9a-f]{14}|vol_[0-9a-f]+)$/.test(text);
    return isName ? { [kind]: (await named(timeline, until, kind, text)).id } : {};
  };
  return { ...wish, ...(await idOf("machine", wish.machine)), ...(await idOf("volume", wish.volume)) };
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
    throw new RefusedError(
      refusal(
        "not_found",
        `nothing is told of machine ${machine}: use its id, or its name as it is at the end`,
      ),
    );
  if (volume !== undefined && findVolume(view, volume) === undefined)
    throw new RefusedError(
      refusal(
        "not_found",
        `nothing is told of volume ${volume}: use its id, or its name as it is at the end`,
      ),
    );
}
