import {
  currentLogs,
  type FoundMachine,
  type FoundVolume,
  listHosts,
  listMachines,
  listSnapshots,
  listVolumes,
} from "#fleet";
import { type Host, promisedOf } from "#hosts";
import { currentStep, type OperationRun } from "#kernel";
import { type Entity, factsOf, formatEntity, type World } from "#timeline";
import type { InvestigationTable, RowOf } from "./tables.ts";

/** The rows of a table at the world's moment. Events are no part of it. */
export function stateRows<T extends Exclude<InvestigationTable, "events">>(
  table: T,
  world: World,
): RowOf<T>[] {
  return ROWS[table](world) as RowOf<T>[];
}

const ROWS: { readonly [T in Exclude<InvestigationTable, "events">]: (world: World) => RowOf<T>[] } = {
  machines: (world) => listMachines(world.view).map((found) => machineRow(world, found)),
  hosts: (world) => listHosts(world.view).map((host) => hostRow(world, host)),
  volumes: (world) => listVolumes(world.view).map((found) => volumeRow(world, found)),
  snapshots: snapshotRows,
  apps: appRows,
  reservations: reservationRows,
  operations: operationRows,
  routes: routeRows,
  placements: placementRows,
};

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function facts(world: World, entity: Entity): unknown {
  return factsOf(world, entity) ?? {};
}

function machineRow(
  world: World,
  { machineId: id, appName: app, hostId, region, epoch, machine }: FoundMachine,
) {
  return {
    ...{ id, app, name: machine?.name, host: hostId, region, epoch, state: machine?.state ?? "placed" },
    instance: machine?.instanceId,
    image: machine?.config.image,
    imageDigest: machine?.imageDigest,
    cpuMillis: machine?.resources.cpuMillis,
    memoryMib: machine?.resources.memoryMib,
    holdsResources: machine?.holdsResources,
    ipv4: machine?.ipv4,
    privateIp: machine?.privateIp,
    start: machine?.startId,
    startedAt: time(machine?.startedAtMs),
    createdAt: time(machine?.createdAtMs),
    updatedAt: time(machine?.updatedAtMs),
    queued: machine?.queued?.intent,
    restarts: machine?.restartsAtMs.length,
    exit: machine?.lastExit,
    error: machine?.error,
    config: machine?.config,
    facts: facts(world, { kind: "machine", id }),
  };
}

function hostRow(world: World, host: Host): RowOf<"hosts"> {
  const { id, region, logId: log, agentEpoch, bootId: boot, capacity, maxMachines, cordon } = host;
  const promised = promisedOf(host);
  return {
    ...{ id, region, log, agentEpoch, boot, ...capacity, maxMachines },
    promisedCpuMillis: promised.cpuMillis,
    promisedMemoryMib: promised.memoryMib,
    promisedVolumeMib: promised.volumeMib ?? null,
    machines: host.machines.size - host.departed.length,
    reservations: host.reservations.size,
    cordonedBy: cordon?.owner ?? null,
    facts: facts(world, { kind: "host", id }),
  };
}

function volumeRow(world: World, { volumeId: id, appName: app, hostId, region, epoch, volume }: FoundVolume) {
  return {
    ...{ id, app, name: volume?.name, host: hostId, region, epoch, state: volume?.state ?? "placed" },
    sizeGb: volume?.sizeGb,
    attachedMachine: volume?.attachedMachineId,
    sourceSnapshot: volume?.sourceSnapshotId,
    createdAt: time(volume?.createdAtMs),
    updatedAt: time(volume?.updatedAtMs),
    error: volume?.error,
    facts: facts(world, { kind: "volume", id }),
  };
}

function snapshotRows(world: World): RowOf<"snapshots">[] {
  return listSnapshots(world.view).map(({ hostId: host, snapshot }) => {
    const { id, volumeId: volume, appName: app, state, origin, sizeBytes, retentionDays, error } = snapshot;
    const about = { id, volume, app, host, state, origin, sizeBytes, retentionDays, error };
    return {
      ...about,
      createdAt: new Date(snapshot.createdAtMs).toISOString(),
      facts: facts(world, { kind: "snapshot", id }),
    };
  });
}

function appRows(world: World): RowOf<"apps">[] {
  return [...world.view.control.apps.values()].map(
    ({ id, name, orgSlug: org, network, deleted, createdAtMs }) => ({
      ...{ id, name, org, network, deleted },
      createdAt: new Date(createdAtMs).toISOString(),
      facts: facts(world, { kind: "app", id: name }),
    }),
  );
}

function reservationRows({ view }: World): RowOf<"reservations">[] {
  return [...currentLogs(view)].flatMap(([host, log]) =>
    [...log.host.reservations.values()].map(
      ({ id, machineId, volumeId, appName, epoch, resources, ttlMs }) => ({
        ...{ id, host, machine: machineId, volume: volumeId, app: appName, epoch, ttlMs },
        ...resources,
      }),
    ),
  );
}

function operationRows({ view }: World): RowOf<"operations">[] {
  return [...currentLogs(view)].flatMap(([hostId, { host }]) => [
    ...[...host.machines.values()].flatMap((machine) => operationRow(hostId, "machine", machine)),
    ...[...host.volumes.values()].flatMap((volume) => operationRow(hostId, "volume", volume)),
    ...[...host.snapshots.values()].flatMap((snapshot) => operationRow(hostId, "snapshot", snapshot)),
  ]);
}

function operationRow(
  host: string,
  kind: Entity["kind"],
  { id, operation: run }: { readonly id: string; readonly operation?: OperationRun },
): RowOf<"operations">[] {
  if (run === undefined) return [];
  return [
    {
      ...{ id: run.id, kind: run.kind, of: formatEntity({ kind, id }), host },
      step: currentStep(run)?.name,
      stepsDone: run.outputs.length,
      steps: run.steps.length,
      attempt: run.attempts + 1,
      startedAt: new Date(run.startedAtMs).toISOString(),
      waitsSince: new Date(run.sinceMs).toISOString(),
      ...{ error: run.lastError, correlation: run.correlationId, run },
    },
  ];
}

function routeRows({ routes }: World): RowOf<"routes">[] {
  return [...routes.all().values()].map(
    ({
      machineId: machine,
      appName: app,
      hostId: host,
      region,
      state,
      ipv4,
      epoch,
      startId: start,
      services,
    }) => ({
      ...{ machine, app, host, region, state, ipv4, epoch, start, services },
    }),
  );
}

function placementRows({ view: { control } }: World): RowOf<"placements">[] {
  return [
    ...[...control.placements.values()].map(
      ({ machineId: id, appName: app, epoch, hostId: host, region, refusedAs }) => ({
        ...{ id, kind: "machine", app, epoch, host, region, refusedAs },
      }),
    ),
    ...[...control.volumePlacements.values()].map(
      ({ volumeId: id, appName: app, epoch, hostId: host, region }) => ({
        ...{ id, kind: "volume", app, epoch, host, region },
      }),
    ),
  ];
}
