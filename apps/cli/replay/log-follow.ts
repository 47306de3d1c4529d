import type { RecordedEvent } from "#contracts";
import { hubEnds } from "#event-log";
import type { Moment } from "#fleet";
import type { Clock } from "#kernel";
import { followEvents, type Timeline } from "#timeline";
import type { Output } from "../output.ts";
import { type LogWish, logFilter } from "./log-filter.ts";
import { beforeOf } from "./wanted-events.ts";

interface FollowGround {
  readonly timeline: Timeline;
  readonly nc: Parameters<typeof hubEnds>[0];
  readonly clock: Clock;
  readonly output: Output;
}

/**
 * What the flags ask for since a moment, then what happens, until Ctrl-C or until `show` has enough. What arrives live is
 * shown as it arrives; without a moment it begins now.
 */
export async function followLog(
  { timeline, nc, clock, output }: FollowGround,
  wish: LogWish,
  since: Moment | undefined,
  show: (event: RecordedEvent) => boolean,
): Promise<void> {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  // Before the past is read: what arrives meanwhile comes twice, and is shown once.
  const from = await hubEnds(nc);
  const start =
    since === undefined ? { after: await timeline.history.end() } : await beforeOf(timeline, since, wish);
  const world =
    wish.app === undefined ? undefined : await timeline.at({ kind: "position", position: start.after });
  const isWanted = logFilter(wish, world?.view);
  const seen: Record<string, number> = { ...start.after };
  if (since !== undefined) {
    for await (const batch of timeline.history.ordered({ after: start.after })) {
      if (interrupted.signal.aborted) return;
      for (const event of batch) if (isWanted(event) && !show(event)) return;
      note(seen, batch);
    }
  }
  const onUnreadable = (place: string, reason: string) =>
    output.progress(`cannot be read: ${place} ${reason}`);
  const onLost = (reason: string) => output.progress(`nothing arrives: ${reason}`);
  const settings = { nc, clock, from, after: seen, onUnreadable, onLost };
  for await (const batch of followEvents(settings, interrupted.signal)) {
    for (const event of batch) if (isWanted(event) && !show(event)) return;
  }
}

function note(seen: Record<string, number>, events: readonly RecordedEvent[]): void {
  for (const { log, sequence } of events) seen[log] = sequence;
}
