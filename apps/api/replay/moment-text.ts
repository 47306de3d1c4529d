import type { Moment } from "#fleet";
import { parsePosition } from "#kernel";

/** A moment as a client names it. An event named by its id alone still has to be found. */
export type AskedMoment = Moment | { readonly kind: "id"; readonly eventId: string };

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const EVENT = /^([A-Za-z0-9_-]+):(\d{1,15})@([0-9a-f]{12}-[0-9a-f]{4})$/;

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Reads `now`, a time (ISO 8601, epoch milliseconds, or `10m` before `nowMs`), a position, an event's id, or an event in full
 * (`LOG:SEQUENCE@CLOCK`). Undefined for anything else.
 */
export function readMoment(text: string, nowMs: number): AskedMoment | undefined {
  if (text === "now") return { kind: "now" };
  if (/^\d{1,15}$/.test(text)) return { kind: "time", atMs: Number(text) };
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (unit !== undefined) return { kind: "time", atMs: nowMs - Number(count) * UNIT_MS[unit as "s"] };
  if (ULID.test(text)) return { kind: "id", eventId: text };
  const [, log, sequence, clock] = EVENT.exec(text) ?? [];
  if (log !== undefined && clock !== undefined) {
    return { kind: "event", log, sequence: Number(sequence), clock };
  }
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const atMs = Date.parse(text);
    return Number.isNaN(atMs) ? undefined : { kind: "time", atMs };
  }
  const position = text.includes(":") ? parsePosition(text) : undefined;
  return position && { kind: "position", position };
}

/** The moment right after an event, in the form that needs no search. */
export function momentText(event: {
  readonly log: string;
  readonly sequence: number;
  readonly header: { readonly clock: string };
}): string {
  return `${event.log}:${event.sequence}@${event.header.clock}`;
}
