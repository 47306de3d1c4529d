import { and, inArray } from "drizzle-orm";
import { hostEvents, type RecordedEvent } from "#contracts";
import { emptyFleet, type FleetView, Histories } from "#fleet";
import type { Machine } from "#machines";
import { isMachineEvent } from "./fold-events.ts";
import type { Transaction } from "./generations.ts";
import {
  hostOf,
  hostRow,
  machineRow,
  placementRow,
  registrationOf,
  registrationRow,
  successionRow,
} from "./rows.ts";
import { apps, hostnames, hosts, machines, placements, registrations, successions } from "./schema.ts";
import { upsert } from "./upsert.ts";

/** The part of the fleet, as it is stored, that some events can change. */
export async function loadPart(tx: Transaction, events: readonly RecordedEvent[]): Promise<FleetView> {
  const part = emptyFleet();
  const machineEvents = events.filter(isMachineEvent);
  const logs = unique([...machineEvents, ...events.filter(isHostEvent)].map(({ log }) => log));
  const machineIds = unique(machineEvents.map(({ data }) => data.machineId));
  await loadLogs(tx, part, logs, machineIds);
  const appNames = unique(events.flatMap(({ type, data }) => (type === "AppDeleted" ? [data.appName] : [])));
  const hostIds = unique(
    events.flatMap(({ type, data }) => (type === "HostRegistered" ? [data.hostId] : [])),
  );
  if (appNames.length > 0) {
    const found = await tx.select().from(apps).where(inArray(apps.name, appNames));
    for (const app of found) part.control.apps.set(app.name, app);
  }
  if (hostIds.length > 0) {
    const found = await tx.select().from(registrations).where(inArray(registrations.hostId, hostIds));
    for (const row of found) part.control.hosts.set(row.hostId, registrationOf(row));
  }
  return part;
}

async function loadLogs(
  tx: Transaction,
  part: FleetView,
  logs: readonly string[],
  machineIds: readonly string[],
): Promise<void> {
  if (logs.length === 0) return;
  const machinesOf = new Map<string, Machine[]>(logs.map((log) => [log, []]));
  if (machineIds.length > 0) {
    const found = await tx
      .select({ log: machines.log, body: machines.body })
      .from(machines)
      .where(and(inArray(machines.id, machineIds), inArray(machines.log, logs)));
    for (const { log, body } of found) machinesOf.get(log)?.push(body);
  }
  for (const row of await tx.select().from(hosts).where(inArray(hosts.log, logs))) {
    const host = hostOf(row, machinesOf.get(row.log) ?? []);
    part.logs.set(row.log, { hostId: row.hostId, host, histories: new Histories(), departures: new Map() });
  }
}

/** Writes the part back after the events. What it holds and none of them changed is written as it was. */
export async function savePart(
  tx: Transaction,
  part: FleetView,
  events: readonly RecordedEvent[],
): Promise<void> {
  const { control, logs, succeeded } = part;
  await upsert(tx, apps, [...control.apps.values()]);
  await upsert(tx, hostnames, [...control.hostnames.values()]);
  const released = events.flatMap(({ type, data }) => (type === "HostnameReleased" ? [data.hostname] : []));
  const free = released.filter((hostname) => !control.hostnames.has(hostname));
  if (free.length > 0) await tx.delete(hostnames).where(inArray(hostnames.hostname, free));
  await upsert(tx, placements, [...control.placements.values()].map(placementRow));
  await upsert(tx, registrations, [...control.hosts.values()].map(registrationRow));
  await upsert(tx, successions, [...succeeded].map(successionRow));
  await upsert(
    tx,
    hosts,
    [...logs].map(([log, view]) => hostRow(log, view)),
  );
  const changed = [...logs].flatMap(([log, { host }]) =>
    [...host.machines.values()].map((machine) => machineRow(log, machine)),
  );
  await upsert(tx, machines, changed);
}

function isHostEvent({ type }: RecordedEvent): boolean {
  return type in hostEvents;
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}
