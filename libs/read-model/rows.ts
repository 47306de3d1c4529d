import type { HostRegistration, Placement } from "#control";
import type { QuarantinedEvent } from "#event-log";
import type { HistoryEntry, HostLogView } from "#fleet";
import { type Host, hostFromJson } from "#hosts";
import { isTerminal, type Machine } from "#machines";
import type {
  hosts,
  machineEvents,
  machines,
  placements,
  quarantined,
  registrations,
  successions,
} from "./schema.ts";

export type HostRow = typeof hosts.$inferSelect;
export type MachineRow = typeof machines.$inferSelect;
export type MachineEventRow = typeof machineEvents.$inferSelect;
export type PlacementRow = typeof placements.$inferSelect;
export type QuarantinedRow = typeof quarantined.$inferSelect;
export type SuccessionRow = typeof successions.$inferSelect;
export type RegistrationRow = typeof registrations.$inferSelect;

export function placementRow(placement: Placement): PlacementRow {
  const { region = null, hostId = null, refusedAs = null, ...decided } = placement;
  return { ...decided, region, hostId, refusedAs };
}

export function registrationRow({ logId, formerLogIds, ...host }: HostRegistration): RegistrationRow {
  return { ...host, log: logId, formerLogs: formerLogIds };
}

export function registrationOf({ log, formerLogs, ...host }: RegistrationRow): HostRegistration {
  return { ...host, logId: log, formerLogIds: formerLogs };
}

export function quarantinedRow(event: QuarantinedEvent): QuarantinedRow {
  return { ...event, type: event.type ?? null };
}

/** A log and the host another log of which began with it. */
export function successionRow([log, hostId]: readonly [string, string]): SuccessionRow {
  return { log, hostId };
}

/** What a host's log tells of the host itself. */
export function hostRow(log: string, { hostId, host }: HostLogView): HostRow {
  const { clusterId, region, subnet, agentEpoch, bootId, capacity, maxMachines, features, cordon } = host;
  const { cpuMillis, memoryMib } = capacity;
  const about = { log, hostId, clusterId, region, subnet, agentEpoch, bootId };
  return { ...about, cpuMillis, memoryMib, maxMachines, features, cordon: cordon ?? null };
}

/** The host of a row with some of its machines: enough for the events that touch no others. */
export function hostOf(row: HostRow, machinesOfIt: readonly Machine[]): Host {
  const { log, hostId, cpuMillis, memoryMib, cordon, ...about } = row;
  const lists = { reservations: [], machines: machinesOfIt, departed: [], refusedCommits: [] };
  const capacity = { cpuMillis, memoryMib };
  const bare = { ...about, id: hostId, logId: log, capacity, nextAddress: 0, ...lists };
  return hostFromJson(cordon === null ? bare : { ...bare, cordon });
}

export function machineRow(log: string, machine: Machine): MachineRow {
  const { id, appName, name, region, epoch, state, instanceId, createdAtMs, updatedAtMs } = machine;
  const about = { log, id, appName, name, region, epoch, state, instanceId, createdAtMs, updatedAtMs };
  return { ...about, ended: isTerminal(state), metadata: storable(machine.config.metadata), body: machine };
}

export function machineEventRow(machineId: string, entry: HistoryEntry): MachineEventRow {
  const { origin = null, exit = null, error = null, ...rest } = entry;
  return { machineId, ...rest, origin, exit, error };
}

export function historyEntryOf(row: MachineEventRow): HistoryEntry {
  const { machineId: _, origin, exit, error, ...rest } = row;
  return {
    ...rest,
    type: rest.type as HistoryEntry["type"],
    ...(origin === null ? {} : { origin }),
    ...(exit === null ? {} : { exit }),
    ...(error === null ? {} : { error }),
  };
}

/** Postgres takes any character but NUL in texts that it can search. */
function storable(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  const clean = (text: string) => text.replaceAll("\0", "\ufffd");
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [clean(key), clean(value)]));
}
