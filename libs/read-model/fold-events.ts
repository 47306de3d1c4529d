import { type MachineEvent, machineEvents, type RecordedEvent } from "#contracts";
import type { QuarantinedEvent } from "#event-log";
import { evolveFleet, type FleetView, historyEntry } from "#fleet";
import { type MachineEventRow, machineEventRow } from "./rows.ts";

/** What came of a run of events, beside the view that they changed. */
export interface FoldedEvents {
  readonly history: readonly MachineEventRow[];
  readonly quarantined: readonly QuarantinedEvent[];
}

/**
 * Folds events into the part of the fleet that they touch, with the fold that everybody uses (I4). An event that it does
 * not take is set aside; the others apply (I10).
 */
export function foldEvents(part: FleetView, events: readonly RecordedEvent[]): FoldedEvents {
  const history: MachineEventRow[] = [];
  const quarantined: QuarantinedEvent[] = [];
  for (const event of events) {
    try {
      evolveFleet(part, event);
    } catch (thrown) {
      quarantined.push(setAside(event, "evolve_failed", thrown));
      continue;
    }
    const log = part.logs.get(event.log);
    // The rows outlive the host's own memory of what is over: how events are bundled must not decide what is kept.
    log?.host.departed.splice(0);
    if (!isMachineEvent(event)) continue;
    const machine = log?.host.machines.get(event.data.machineId);
    const entry = machine && historyEntry(event, machine);
    if (entry !== undefined) history.push(machineEventRow(event.data.machineId, entry));
  }
  return { history, quarantined };
}

/** An event that had to be left out. */
export function setAside(
  { log, sequence, subject, type }: RecordedEvent,
  reason: QuarantinedEvent["reason"],
  thrown: unknown,
): QuarantinedEvent {
  return { log, sequence, reason, detail: String(thrown).slice(0, 500), subject, type };
}

export function isMachineEvent(event: RecordedEvent): event is RecordedEvent<MachineEvent> {
  return event.type in machineEvents;
}
