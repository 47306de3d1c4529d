import { type HybridTime, MAX_DRIFT_MS, wallMsOf } from "#kernel";

/**
 * Whether this machine's clock is behind what its own log has seen (F20). Nothing depends on it: order comes from
 * sequence, deadlines from the monotonic clock. But people read times, and should be told.
 */
export function clockAlarm(nowMs: number, lastEvent: HybridTime | undefined): string | undefined {
  if (lastEvent === undefined) return undefined;
  const behindMs = wallMsOf(lastEvent) - nowMs;
  if (behindMs <= MAX_DRIFT_MS) return undefined;
  const seconds = Math.round(behindMs / 1000);
  return `the clock of this machine is ${seconds} s behind the last event of its own log: set it right`;
}
