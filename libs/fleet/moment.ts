import type { RecordedEvent } from "#contracts";
import { assertNever, formatHybridTime, type HybridTime, type Position } from "#kernel";

/** A cut through history: of each log, a beginning counts. */
export type Moment =
  | { readonly kind: "now" }
  /** What it does not name is left out whole. */
  | { readonly kind: "position"; readonly position: Position }
  /** Everything whose clock is not later, epoch milliseconds. */
  | { readonly kind: "time"; readonly atMs: number }
  /** One event and everything that may have led to it: of its own log what stands before it, of others what is not later. */
  | { readonly kind: "event"; readonly log: string; readonly sequence: number; readonly clock: HybridTime };

/**
 * Tells of the events of each log, asked in their order, whether they count. Once one does not, none of that log does
 * any more, whatever its clock says: a state is only ever that of a log's beginning (F20).
 */
export function upTo(moment: Moment): (event: RecordedEvent) => boolean {
  const ended = new Set<string>();
  const counts = countsAt(moment);
  return (event) => {
    if (ended.has(event.log)) return false;
    if (counts(event)) return true;
    ended.add(event.log);
    return false;
  };
}

function countsAt(moment: Moment): (event: RecordedEvent) => boolean {
  switch (moment.kind) {
    case "now":
      return () => true;
    case "position":
      return ({ log, sequence }) => sequence <= (moment.position[log] ?? 0);
    case "time": {
      const last = formatHybridTime(moment.atMs, 0xffff);
      return ({ header }) => header.clock <= last;
    }
    case "event":
      return ({ log, sequence, header }) =>
        log === moment.log ? sequence <= moment.sequence : header.clock <= moment.clock;
    default:
      return assertNever(moment);
  }
}
