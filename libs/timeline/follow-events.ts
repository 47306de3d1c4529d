import type { DecodedEvent, RecordedEvent } from "#contracts";
import { followHub, type HubPlace } from "#event-log";
import type { Clock, Position } from "#kernel";
import type { OnUnreadable } from "./history.ts";

/** Events in memory that nobody took yet. */
const MOST_WAITING = 5_000;

/** How what happens is followed. */
export interface FollowSettings {
  readonly nc: Parameters<typeof followHub>[0];
  readonly clock: Clock;
  /** Where the hub's streams were read up to: not later than `after`. */
  readonly from: HubPlace;
  /** Of each log what was seen already. */
  readonly after: Position;
  readonly onUnreadable: OnUnreadable;
  /** Told when nothing arrives, and why; it goes on by itself. */
  readonly onLost: (reason: string) => void;
}

/**
 * Events as they arrive at the hub, each once and each log's in order, through losses of the hub and also where a log is
 * sourced anew, until `signal` fires.
 */
export async function* followEvents(
  { nc, clock, from, after, onUnreadable, onLost }: FollowSettings,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[]> {
  const seen = new Map(Object.entries(after));
  let waiting: RecordedEvent[] = [];
  let came = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  const take = (log: string, sequence: number, decoded: DecodedEvent) => {
    if (sequence <= (seen.get(log) ?? 0)) return;
    seen.set(log, sequence);
    if (decoded.kind === "event") waiting.push(decoded.event);
    else onUnreadable(`${log}:${sequence}`, `${decoded.reason}: ${decoded.detail}`);
    came.resolve();
  };
  const follower = {
    arrived: ({ logId, sequence, decoded }: { logId: string; sequence: number; decoded: DecodedEvent }) =>
      take(logId, sequence, decoded),
    control: ({ sequence, decoded }: { sequence: number; decoded: DecodedEvent }) =>
      take(decoded.kind === "event" ? decoded.event.log : "CONTROL", sequence, decoded),
    replaced: () => undefined,
    lost: onLost,
    room: () => (waiting.length < MOST_WAITING ? undefined : taken.promise),
  };
  const ending = new AbortController();
  const end = AbortSignal.any([signal, ending.signal]);
  let isOver = false;
  const following = followHub(nc, clock, from, follower, end).finally(() => {
    isOver = true;
    came.resolve();
  });
  following.catch(() => undefined);
  try {
    for (;;) {
      await came.promise;
      came = Promise.withResolvers<void>();
      const batch = waiting;
      waiting = [];
      taken.resolve();
      taken = Promise.withResolvers<void>();
      if (batch.length > 0) yield batch;
      else if (isOver) break;
      if (isOver) came.resolve();
    }
    // What ended it for other reasons than the signal is the caller's to hear.
    await following;
  } finally {
    ending.abort();
  }
}
