import type { EventRef, Violation } from "#replay";
import { formatEntity } from "#timeline";
import { harmless } from "../output.ts";

/** An event in a line: "MachineStarted 01K… at 2026-…, by host:h1". */
export function eventText({ type, id, atMs, actor }: EventRef): string {
  const by = actor === "" ? "" : `, by ${actor}`;
  return harmless(`${type} ${id} at ${new Date(atMs).toISOString()}${by}`);
}

/** A violation in a line, also as news of its end. */
export function violationText({ invariant, entity, message, event, healedBy }: Violation): string {
  const what = `${invariant}: ${formatEntity(entity)}: ${message}`;
  const line =
    healedBy === undefined ? `${what}  [${eventText(event)}]` : `healed  ${what}  [${eventText(healedBy)}]`;
  return harmless(line);
}

/** Tells how far a long look has come, every two seconds at the most. */
export function progressTeller(
  clock: { monotonicMs(): number },
  tell: (line: string) => void,
): (events: number, world: { readonly nowMs: number }) => void {
  let lastMs = clock.monotonicMs();
  return (events, { nowMs }) => {
    if (clock.monotonicMs() - lastMs < 2_000) return;
    lastMs = clock.monotonicMs();
    tell(`${events.toLocaleString("en")} events read, up to ${new Date(nowMs).toISOString()}`);
  };
}
