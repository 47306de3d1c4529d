import { type Clock, RefusedError, refusal } from "#kernel";
import { ArchiveHistory } from "#replay";
import { type OnUnreadable, openTimeline, Timeline } from "#timeline";
import type { CliContext, CommonFlags } from "../context.ts";
import { withHub } from "../hub.ts";
import type { Output } from "../output.ts";
import { absolute } from "../settings.ts";

/** Whose history a command of the debugger is about. */
export interface SourceFlags extends CommonFlags {
  /** A file that `drover replay export` made: nothing else is asked, no cluster has to be there. */
  readonly from?: string;
}

/** The hub's connection, for what is no event: traces of requests, what goes on live. */
type Hub = Parameters<Parameters<typeof withHub>[2]>[0];

export interface Source {
  readonly timeline: Timeline;
  /** Absent where history is a file's. */
  readonly hub?: Hub;
}

/** Opens the history that the flags name, for as long as `use` takes. What cannot be read is told as progress (I10). */
export async function withTimeline<T>(
  context: CliContext,
  flags: SourceFlags,
  output: Output,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const onUnreadable: OnUnreadable = (place, reason) => output.progress(`cannot be read: ${place} ${reason}`);
  if (flags.from !== undefined) {
    if (flags.data !== undefined) throw new RefusedError(refusal("invalid", "--from and --data: name one"));
    const history = await ArchiveHistory.open(absolute(flags.from, "--from"), onUnreadable);
    return use({ timeline: new Timeline({ history, onUnreadable }) });
  }
  return withHub(context, flags, async (hub) => {
    const directory = context.layout(flags).timelineDir;
    const settings = { nc: hub, directory, build: true, onUnreadable };
    const opened = await openTimeline({ ...settings, onProgress: slowProgress(context.clock, output) });
    try {
      return await use({ timeline: opened.timeline, hub });
    } finally {
      await opened.close();
    }
  });
}

const QUIET_MS = 1_000;

/** Tells how far a long question is, once a second, from one second on. */
function slowProgress(clock: Clock, output: Output): (read: number, of: number) => void {
  let nextMs = clock.monotonicMs() + QUIET_MS;
  return (read, of) => {
    if (clock.monotonicMs() < nextMs) return;
    nextMs = clock.monotonicMs() + QUIET_MS;
    output.progress(`${read.toLocaleString("en")} of ${of.toLocaleString("en")} events read…`);
  };
}
