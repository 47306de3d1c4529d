import type { Moment } from "#fleet";
import { parsePosition, RefusedError, refusal } from "#kernel";
import type { Timeline } from "#timeline";

/** A time as users write it: ISO 8601, or how long ago ("90s", "10m", "2h", "3d"). Undefined for anything else. */
export function parseTime(text: string, nowMs: number): number | undefined {
  const ago = /^(\d+)(s|m|h|d)$/.exec(text);
  if (ago)
    return nowMs - Number(ago[1]) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[ago[2] as "s"];
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return undefined;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** `now`, a time, a position (`log:sequence,…`) or the id of an event. Throws a refusal that says so. */
export async function parseMoment(timeline: Timeline, text: string, nowMs: number): Promise<Moment> {
  if (text === "now") return { kind: "now" };
  const atMs = parseTime(text, nowMs);
  if (atMs !== undefined) return { kind: "time", atMs };
  const position = text.includes(":") ? parsePosition(text) : undefined;
  if (position !== undefined) {
    await assertLogs(timeline, Object.keys(position));
    return { kind: "position", position };
  }
  if (/^[0-9A-HJKMNP-TV-Z]{26}$/.test(text)) {
    const moment = await timeline.momentOf(text);
    if (moment !== undefined) return moment;
    throw new RefusedError(refusal("not_found", `the logs hold no event ${text}`));
  }
  const message = `"${text}" is no moment: use now, a time (2026-11-24T12:00:00Z, 10m), a position (LOG:SEQUENCE,…) or an event's id`;
  throw new RefusedError(refusal("invalid", message));
}

/**
 * Logs that there are not would look like a time at which nothing had happened yet (F48). Of a cluster's position a file may
 * well hold some of the logs alone.
 */
async function assertLogs(timeline: Timeline, named: readonly string[]): Promise<void> {
  const logs = await timeline.history.end();
  if (named.length === 0 || named.some((log) => Object.hasOwn(logs, log))) return;
  const known = Object.keys(logs).join(", ") || "none";
  throw new RefusedError(refusal("not_found", `there is no log ${named[0]}: there are ${known}`));
}
