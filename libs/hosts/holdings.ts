import type { PublishedPort, Resources } from "#contracts";
import { heldResources, isTerminal, type Machine } from "#machines";
import { heldMibOf, type Snapshot, type Volume } from "#volumes";
import { claimantId, type Reservation } from "./reservation.ts";
import { plus, volumeRoom } from "./resources.ts";

/**
 * Running totals of what machines and reservations hold, so that no decision has to look at all of them. They follow
 * from machines and reservations and are rebuilt from these: they are in no checkpoint and no hash.
 */
export interface Holdings {
  /** What is promised right now (I8). */
  promised: Resources;
  /** Machine id by `portKey`. */
  readonly ports: Map<string, string>;
  /** Addresses of all machines that are remembered, destroyed ones included (F31). */
  readonly addresses: Set<string>;
  /** How many machines of an app exist or have room reserved for them. */
  readonly machinesOfApp: Map<string, number>;
  /** Reservation id by the id of the machine or volume. */
  readonly reservationOf: Map<string, string>;
  /** How many reservations are for volumes. */
  reservedVolumes: number;
}

export function emptyHoldings(): Holdings {
  return {
    promised: volumeRoom(0),
    ports: new Map(),
    addresses: new Set(),
    machinesOfApp: new Map(),
    reservationOf: new Map(),
    reservedVolumes: 0,
  };
}

interface Holders {
  readonly machines: Iterable<Machine>;
  readonly reservations: Iterable<Reservation>;
  readonly volumes?: Iterable<Volume>;
  readonly snapshots?: Iterable<Snapshot>;
}

/** The holdings of exactly these. */
export function holdingsOf({ machines, reservations, volumes = [], snapshots = [] }: Holders): Holdings {
  const holdings = emptyHoldings();
  for (const volume of volumes) holdVolume(holdings, volume);
  for (const snapshot of snapshots) holdSnapshot(holdings, snapshot);
  for (const machine of machines) {
    holdings.addresses.add(machine.ipv4);
    holdMachine(holdings, machine);
  }
  for (const reservation of reservations) holdReservation(holdings, reservation);
  return holdings;
}

export function holdMachine(holdings: Holdings, machine: Machine): void {
  add(holdings, heldResources(machine), 1);
  if (isTerminal(machine.state)) return;
  holdPorts(holdings, machine.id, portsOf(machine));
  count(holdings.machinesOfApp, machine.appName, 1);
}

export function releaseMachine(holdings: Holdings, machine: Machine): void {
  add(holdings, heldResources(machine), -1);
  if (isTerminal(machine.state)) return;
  releasePorts(holdings, machine.id, portsOf(machine));
  count(holdings.machinesOfApp, machine.appName, -1);
}

export function holdReservation(holdings: Holdings, reservation: Reservation): void {
  const { resources, machineId, ports, appName } = reservation;
  add(holdings, resources, 1);
  holdings.reservationOf.set(claimantId(reservation), reservation.id);
  if (machineId === undefined) {
    holdings.reservedVolumes += 1;
    return;
  }
  holdPorts(holdings, machineId, ports);
  if (appName !== undefined) count(holdings.machinesOfApp, appName, 1);
}

export function releaseReservation(holdings: Holdings, reservation: Reservation): void {
  const { resources, machineId, ports, appName } = reservation;
  add(holdings, resources, -1);
  holdings.reservationOf.delete(claimantId(reservation));
  if (machineId === undefined) {
    holdings.reservedVolumes -= 1;
    return;
  }
  releasePorts(holdings, machineId, ports);
  if (appName !== undefined) count(holdings.machinesOfApp, appName, -1);
}

export function holdVolume(holdings: Holdings, volume: Volume, sign: 1 | -1 = 1): void {
  add(holdings, volumeRoom(heldMibOf(volume)), sign);
}

/** What a snapshot shares with its volume counts for both: either may change alone. */
export function holdSnapshot(holdings: Holdings, { heldMib }: Snapshot, sign: 1 | -1 = 1): void {
  add(holdings, volumeRoom(heldMib), sign);
}

/** Names a host port: TCP and UDP do not get into each other's way. */
export function portKey(port: PublishedPort): string {
  return `${port.protocol}/${port.host_port}`;
}

/** While a machine is updated it may end up with either config: the ports of both are taken. */
function portsOf(machine: Machine): readonly PublishedPort[] {
  return [...(machine.config.publish ?? []), ...(machine.beforeUpdate?.config.publish ?? [])];
}

function holdPorts(holdings: Holdings, machineId: string, ports: readonly PublishedPort[]): void {
  for (const port of ports) holdings.ports.set(portKey(port), machineId);
}

function releasePorts(holdings: Holdings, machineId: string, ports: readonly PublishedPort[]): void {
  for (const port of ports) {
    if (holdings.ports.get(portKey(port)) === machineId) holdings.ports.delete(portKey(port));
  }
}

function add(holdings: Holdings, resources: Resources, sign: 1 | -1): void {
  holdings.promised = plus(holdings.promised, resources, sign);
}

function count(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const after = (counts.get(key) ?? 0) + by;
  if (after === 0) counts.delete(key);
  else counts.set(key, after);
}
