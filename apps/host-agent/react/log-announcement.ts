import type { BusConnection } from "#bus";
import { subjects } from "#contracts";
import { type HostLog, liveEnd } from "#event-log";
import type { Clock } from "#kernel";

const INTERVAL_MS = 1_000;

/**
 * Says on the live feed, again and again, how far the host's log goes. By a timer: whoever missed the last event, because
 * the link or the hub was away, has nothing else to notice it by.
 */
export async function announceLog(
  nc: BusConnection,
  clock: Clock,
  log: Pick<HostLog, "hostId" | "logId" | "lastSequence">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !nc.isClosed()) {
    const { headers, body } = liveEnd(log.logId, log.lastSequence);
    nc.publish(subjects.live(log.hostId), body, { headers });
    await clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
  }
}
