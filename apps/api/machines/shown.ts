import type { FleetReader, Located } from "../fleet/fleet-reader.ts";
import { type MachineEventJson, machineEventJson } from "./event-json.ts";
import { type MachineJson, machineJson, machineSummaryJson } from "./machine-json.ts";

/** Of the events within a machine; more with `/events`. */
const SHOWN_EVENTS = 20;

/** A machine with its latest events, as the API shows it. */
export function shownMachine(fleet: FleetReader, { machine, hostId }: Located): MachineJson {
  return machineJson(machine, fleet.whereabouts(hostId), shownEvents(fleet, machine.id, SHOWN_EVENTS));
}

/** What `summary=true` asks for. */
export function shownSummary(fleet: FleetReader, { machine, hostId }: Located): MachineJson {
  return machineSummaryJson(machine, fleet.whereabouts(hostId));
}

/** A machine's events, the latest first. */
export function shownEvents(fleet: FleetReader, machineId: string, limit: number): MachineEventJson[] {
  const shown = fleet.historyOf(machineId).flatMap((entry) => machineEventJson(entry) ?? []);
  return shown.slice(-limit).reverse();
}
