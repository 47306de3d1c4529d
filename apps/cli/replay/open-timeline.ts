import { HubHistory, type OnUnreadable, Timeline } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import { withHub } from "../hub.ts";
import type { Output } from "../output.ts";

/** Whose history a command of the debugger is about. */
export interface SourceFlags extends CommonFlags {}

/** The hub's connection, for what is no event: traces of requests, what goes on live. */
type Hub = Parameters<Parameters<typeof withHub>[2]>[0];

export interface Source {
  readonly timeline: Timeline;
  readonly hub: Hub;
}

/** Opens the history that the flags name, for as long as `use` takes. What cannot be read is told as progress (I10). */
export async function withTimeline<T>(
  context: CliContext,
  flags: SourceFlags,
  output: Output,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const onUnreadable: OnUnreadable = (place, reason) => output.progress(`cannot be read: ${place} ${reason}`);
  return withHub(context, flags, async (hub) => {
    const history = new HubHistory(hub, onUnreadable);
    return use({ timeline: new Timeline({ history, onUnreadable }), hub });
  });
}
