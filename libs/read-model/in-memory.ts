import { type FleetView, type HistoryEntry, listMachines, machineHistory } from "#fleet";
import { isTerminal, type Machine } from "#machines";
import type { StoredApp } from "./list-apps.ts";
import type { EventFilter } from "./list-events.ts";
import type { MachineFilter, StoredMachine } from "./list-machines.ts";

/*
 * The same lists from the fold in memory: what is answered while there are no rows. It has forgotten what was over long
 * ago, and knows a machine's last events only.
 */

/** As `listMachines` of the rows. */
export function machinesInMemory(view: FleetView, filter: MachineFilter): StoredMachine[] {
  const { page } = filter;
  const found = listMachines(view, filter.appName)
    .flatMap(({ machine, hostId }) =>
      machine === undefined || hostId === undefined ? [] : [{ machine, hostId }],
    )
    .filter(({ machine }) => fits(view, machine, filter));
  if (page === undefined) return found.sort(by(({ machine }) => machine.createdAtMs));
  return found.sort(by(({ machine }) => machine.updatedAtMs)).slice(0, page.limit);
}

/** As `listApps` of the rows. */
export function appsInMemory(view: FleetView, orgSlug?: string): StoredApp[] {
  const counts = new Map<string, number>();
  for (const { machine } of machinesInMemory(view, {})) {
    counts.set(machine.appName, (counts.get(machine.appName) ?? 0) + 1);
  }
  return [...view.control.apps.values()]
    .filter((app) => !app.deleted && (orgSlug === undefined || app.orgSlug === orgSlug))
    .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1))
    .map((app) => ({ app, machineCount: counts.get(app.name) ?? 0 }));
}

/** As `listEvents` of the rows. */
export function eventsInMemory(view: FleetView, filter: EventFilter): HistoryEntry[] {
  const { machineId, types, before, limit } = filter;
  const history = machineHistory(view, machineId);
  const end = before === undefined ? history.length : history.findIndex(({ eventId }) => eventId === before);
  const shown = history.slice(0, Math.max(0, end)).filter(({ type }) => types.includes(type));
  return shown.slice(-limit).reverse();
}

function fits(view: FleetView, machine: Machine, filter: MachineFilter): boolean {
  const { machineId, orgSlug, region, states, metadata = {}, includeEnded, updatedAfterMs, page } = filter;
  const { updatedAtMs, id } = machine;
  const after = page?.after;
  return (
    (machineId === undefined || id === machineId) &&
    (includeEnded === true || !isTerminal(machine.state)) &&
    (orgSlug === undefined || view.control.apps.get(machine.appName)?.orgSlug === orgSlug) &&
    (region === undefined || machine.region === region) &&
    (states === undefined || states.includes(machine.state)) &&
    Object.entries(metadata).every(([key, value]) => machine.config.metadata?.[key] === value) &&
    (updatedAfterMs === undefined || updatedAtMs > updatedAfterMs) &&
    (after === undefined ||
      updatedAtMs > after.updatedAtMs ||
      (updatedAtMs === after.updatedAtMs && id > after.machineId))
  );
}

/** The order of a list: by a time, and by id within it. */
function by(timeOf: (stored: StoredMachine) => number) {
  return (a: StoredMachine, b: StoredMachine) =>
    timeOf(a) - timeOf(b) || (a.machine.id < b.machine.id ? -1 : 1);
}
