import { nameKey } from "#control";
import type { Host } from "#hosts";
import type { Machine } from "#machines";
import type { FleetView, HostLogView } from "./fleet-view.ts";
import { type HistoryEntry, mergeHistories } from "./machine-history.ts";

/** A machine as far as it is known. */
export interface FoundMachine {
  readonly machineId: string;
  readonly appName: string;
  /** Ownership epoch. */
  readonly epoch: number;
  /** The host that owns it; absent when no host took it. */
  readonly hostId?: string;
  readonly region?: string;
  /** Absent while only its placement is known: its host has not told of it yet. */
  readonly machine?: Machine;
}

/** A host as its own log has it. Undefined before its first event has arrived. */
export function findHost(view: FleetView, hostId: string): Host | undefined {
  return currentLogs(view).get(hostId)?.host;
}

/** All hosts that have told of themselves, by id. */
export function listHosts(view: FleetView): Host[] {
  return [...currentLogs(view)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { host }]) => host);
}

/**
 * The machine of this id, from the host that owns it in the highest epoch known. `logs` are the view's `currentLogs`,
 * for callers who keep them.
 */
export function findMachine(
  view: FleetView,
  machineId: string,
  logs: ReadonlyMap<string, HostLogView> = currentLogs(view),
): FoundMachine | undefined {
  const hosted: FoundMachine[] = [];
  for (const [hostId, { host }] of logs) {
    const machine = host.machines.get(machineId);
    if (machine !== undefined) hosted.push(found(hostId, machine));
  }
  return newest(view, machineId, hosted);
}

/** All machines that somebody has, or is about to have, of one app or of all: destroyed ones while they are remembered. */
export function listMachines(view: FleetView, appName?: string): FoundMachine[] {
  const hosted = new Map<string, FoundMachine[]>();
  for (const [hostId, { host }] of currentLogs(view)) {
    for (const machine of host.machines.values()) {
      if (appName !== undefined && machine.appName !== appName) continue;
      hosted.set(machine.id, [...(hosted.get(machine.id) ?? []), found(hostId, machine)]);
    }
  }
  for (const placement of view.control.placements.values()) {
    const isMeant = appName === undefined || placement.appName === appName;
    const isComing = isMeant && placement.hostId !== undefined;
    if (isComing && !hosted.has(placement.machineId)) hosted.set(placement.machineId, []);
  }
  return [...hosted].flatMap(([machineId, candidates]) => newest(view, machineId, candidates) ?? []);
}

/** The machine that holds a name within an app; a name outlives its machine until another one claims it. */
export function findMachineByName(view: FleetView, appName: string, name: string): FoundMachine | undefined {
  const machineId = view.control.names.get(nameKey(appName, name))?.machineId;
  return machineId === undefined ? undefined : findMachine(view, machineId);
}

/** A machine's latest events, oldest first, whichever logs they stand in. */
export function machineHistory(view: FleetView, machineId: string): HistoryEntry[] {
  return mergeHistories([...view.logs.values()].map((log) => log.histories.of(machineId)));
}

/** Each host's log of today, by host id: not succeeded by another, and the registered one should there still be several. */
export function currentLogs(view: FleetView): Map<string, HostLogView> {
  const current = new Map<string, string>();
  for (const [logId, { hostId }] of view.logs) {
    if (view.succeeded.get(logId) === hostId) continue;
    const rival = current.get(hostId);
    const registered = view.control.hosts.get(hostId)?.logId;
    // Log ids are ULIDs: the later one is the greater.
    if (rival === undefined || (rival !== registered && logId > rival) || logId === registered) {
      current.set(hostId, logId);
    }
  }
  return new Map([...current].map(([hostId, logId]) => [hostId, view.logs.get(logId)!]));
}

function found(hostId: string, machine: Machine): FoundMachine {
  const { id: machineId, appName, epoch, region } = machine;
  return { machineId, appName, epoch, hostId, region, machine };
}

/**
 * Of what hosts and CONTROL say, what the highest epoch says (F30). In the same epoch hosts know more than CONTROL, and
 * the host that a machine moved to more than the one that it left.
 */
function newest(
  view: FleetView,
  machineId: string,
  hosted: readonly FoundMachine[],
): FoundMachine | undefined {
  const placement = view.control.placements.get(machineId);
  const best = [...hosted].sort((a, b) => b.epoch - a.epoch || hasLeft(a) - hasLeft(b))[0];
  return placement === undefined || (best !== undefined && best.epoch >= placement.epoch) ? best : placement;
}

function hasLeft({ machine }: FoundMachine): number {
  return machine?.state === "migrated" ? 1 : 0;
}
