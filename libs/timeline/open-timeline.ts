import type { readControl } from "#event-log";
import type { OnUnreadable } from "./history.ts";
import { HubHistory } from "./hub-history.ts";
import { Timeline } from "./timeline.ts";

/** What a hub's history is opened with. */
export interface OpenTimelineSettings {
  /** To the hub; only read from. */
  readonly nc: Parameters<typeof readControl>[0];
  /** Where rounds (states to begin with) are kept: `<data>/timeline`. Without it every question folds from the beginning. */
  readonly directory?: string;
  /** Whether this process makes rounds, should no other one do so already. It takes a directory. */
  readonly build?: boolean;
  /** Told of what cannot be read or folded; the rest goes on (I10). */
  readonly onUnreadable: OnUnreadable;
  /** Told now and then how many events of how many a long question has read. */
  readonly onProgress?: (read: number, of: number) => void;
}

/** All of a hub's history, until it is closed. */
export interface OpenedTimeline {
  readonly timeline: Timeline;
  /** Makes rounds as events arrive, through losses of the hub, until `signal` fires. Then it resolves. */
  follow(signal: AbortSignal): Promise<void>;
  /** Lets go of the directory. The connection stays the caller's. */
  close(): Promise<void>;
}

/** Opens the history that a hub holds. */
export async function openTimeline({ nc, onUnreadable }: OpenTimelineSettings): Promise<OpenedTimeline> {
  const timeline = new Timeline({ history: new HubHistory(nc, onUnreadable), onUnreadable });
  return {
    timeline,
    follow: (signal) =>
      new Promise((done) => (signal.aborted ? done() : signal.addEventListener("abort", () => done()))),
    close: async () => undefined,
  };
}
