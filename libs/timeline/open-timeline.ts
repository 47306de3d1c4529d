import type { readControl } from "#event-log";
import { type Clock, SystemClock } from "#kernel";
import type { OnUnreadable } from "./history.ts";
import { buildOn, buildOnce } from "./rounds/build.ts";
import { Rounds } from "./rounds/rounds.ts";
import { type OnProgress, RoundsTimeline } from "./rounds/rounds-timeline.ts";
import type { Timeline } from "./timeline.ts";

/** What a hub's history is opened with. */
export interface OpenTimelineSettings {
  /** To the hub; only read from. */
  readonly nc: Parameters<typeof readControl>[0];
  /** Where rounds (states to begin with) are kept: `<data>/timeline`. Without it every question folds from the beginning. */
  readonly directory?: string;
  /** Whether rounds are made now, should they be far behind and no other process make them. It takes a directory. */
  readonly build?: boolean;
  /** Told of what cannot be read or folded; the rest goes on (I10). */
  readonly onUnreadable: OnUnreadable;
  /** Told now and then how many events of how many a long question has read. */
  readonly onProgress?: OnProgress;
  readonly clock?: Clock;
  /** Events after which a round ends; 5,000 when left out. */
  readonly roundEvents?: number;
}

/** All of a hub's history, for as long as its connection is open. */
export interface OpenedTimeline {
  readonly timeline: Timeline;
  /**
   * Makes rounds as events arrive, through losses of the hub, until `signal` fires. Then it resolves. One process at a time
   * does it for a directory; the next one waits for its turn. `onTrouble`: why it has to begin again, a full disk say.
   */
  follow(signal: AbortSignal, onTrouble?: (trouble: unknown) => void): Promise<void>;
  /** Ends what follows. The connection stays the caller's. */
  close(): Promise<void>;
}

/** Opens the history that a hub holds. */
export async function openTimeline(settings: OpenTimelineSettings): Promise<OpenedTimeline> {
  const { nc, directory, build = false, onUnreadable, clock = new SystemClock() } = settings;
  const onProgress = settings.onProgress ?? (() => undefined);
  const rounds = new Rounds(nc, directory, settings.roundEvents);
  if (build) await buildOnce(rounds, onProgress);
  const closing = new AbortController();
  let following: Promise<void> = Promise.resolve();
  return {
    timeline: new RoundsTimeline(nc, rounds, onUnreadable, onProgress),
    follow: (signal, onTrouble = () => undefined) => {
      following = buildOn(nc, clock, rounds, onTrouble, AbortSignal.any([signal, closing.signal]));
      return following;
    },
    close: () => {
      closing.abort();
      return following;
    },
  };
}
