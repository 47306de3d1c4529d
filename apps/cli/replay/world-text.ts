import { currentLogs, listHosts, listMachines, listVolumes } from "#fleet";
import { promisedOf } from "#hosts";
import { currentStep, type OperationRun, ulidMsOf } from "#kernel";
import { isTerminal } from "#machines";
import type { World } from "#timeline";
import { age, table } from "../output.ts";

/** A route, as of that moment. */
export function routesOf({ routes }: World, app?: string) {
  return [...routes.all().values()]
    .filter(({ appName }) => app === undefined || appName === app)
    .map(({ machineId, appName, hostId, state, ipv4, epoch, startId }) => {
      return {
        machineId,
        appName,
        hostId,
        state,
        ipv4,
        epoch,
        ...(startId === undefined ? {} : { startId }),
      };
    })
    .sort((a, b) => (a.machineId < b.machineId ? -1 : 1));
}

/** Operations in progress: on whose log, about what, at which step, since when. */
export function runsOf({ view }: World, app?: string) {
  const runs = [...currentLogs(view)].flatMap(([hostId, { host }]) => [
    ...[...host.machines.values()].map((machine) => ({
      hostId,
      about: `machine/${machine.id}`,
      of: machine,
    })),
    ...[...host.volumes.values()].map((volume) => ({ hostId, about: `volume/${volume.id}`, of: volume })),
    ...[...host.snapshots.values()].map((snapshot) => ({
      hostId,
      about: `snapshot/${snapshot.id}`,
      of: snapshot,
    })),
  ]);
  return runs.flatMap(({ hostId, about, of }) => {
    const run: OperationRun | undefined = of.operation;
    if (run === undefined || (app !== undefined && of.appName !== app)) return [];
    const { id, kind, attempts, sinceMs, startedAtMs, lastError } = run;
    const step = currentStep(run)?.name ?? "";
    const error = lastError === undefined ? {} : { error: lastError };
    return [{ hostId, about, id, kind, step, attempt: attempts + 1, startedAtMs, sinceMs, ...error }];
  });
}

/** What is promised and not committed. `lapsesAtMs`: by the clock of who asked for it; its host counts from the offer on. */
export function reservationsOf({ view }: World, app?: string) {
  return [...currentLogs(view)].flatMap(([hostId, { host }]) =>
    [...host.reservations.values()]
      .filter(({ appName }) => app === undefined || appName === app)
      .map((reservation) => {
        const lapsesAtMs = ulidMsOf(reservation.id) + reservation.ttlMs;
        return { hostId, ...reservation, lapsesAtMs };
      }),
  );
}

/** The whole plane, or what belongs to one app, as tables. */
export function worldText(world: World, app?: string): string {
  const tables = [
    ...(app === undefined ? [hostTable(world)] : []),
    machineTable(world, app),
    volumeTable(world, app),
    routeTable(world, app),
    runTable(world, app),
    reservationTable(world, app),
  ];
  return tables.filter((text) => text !== "").join("\n\n");
}

/** Nothing where there is nothing to show, except where that is told by the header alone. */
function tableOf(header: readonly string[], rows: readonly (readonly string[])[], always = false): string {
  return rows.length === 0 && !always ? "" : table(header, rows);
}

function hostTable({ view }: World): string {
  const rows = listHosts(view).map((host) => {
    const promised = promisedOf(host);
    return [
      host.id,
      host.logId,
      String(host.agentEpoch),
      String(host.reservations.size),
      `${promised.cpuMillis}/${host.capacity.cpuMillis}`,
      `${promised.memoryMib}/${host.capacity.memoryMib}`,
      host.cordon?.reason ?? "",
    ];
  });
  const header = ["HOST", "LOG", "AGENT EPOCH", "RESERVATIONS", "CPU MILLIS", "MEMORY MIB", "CORDON"];
  return tableOf(header, rows, true);
}

function machineTable({ view }: World, app?: string): string {
  const rows = listMachines(view, app)
    .filter(({ machine }) => machine === undefined || !isTerminal(machine.state))
    .map(({ machineId, appName, hostId, epoch, machine }) => [
      machineId,
      appName,
      machine?.name ?? "-",
      machine?.state ?? "placed",
      hostId ?? "-",
      String(epoch),
    ]);
  return tableOf(["MACHINE", "APP", "NAME", "STATE", "HOST", "EPOCH"], rows, true);
}

function volumeTable({ view }: World, app?: string): string {
  const rows = listVolumes(view, app).map(({ volumeId, appName, hostId, volume }) => [
    volumeId,
    appName,
    volume?.name ?? "-",
    volume?.state ?? "placed",
    hostId ?? "-",
    volume === undefined ? "-" : `${volume.sizeGb} GB`,
    volume?.attachedMachineId ?? "",
  ]);
  return tableOf(["VOLUME", "APP", "NAME", "STATE", "HOST", "SIZE", "ATTACHED TO"], rows);
}

function routeTable(world: World, app?: string): string {
  const rows = routesOf(world, app).map((route) => [
    route.appName,
    route.machineId,
    route.hostId,
    route.ipv4,
    route.state,
    route.startId ?? "",
  ]);
  return tableOf(["ROUTE OF", "MACHINE", "HOST", "ADDRESS", "STATE", "START"], rows);
}

function runTable(world: World, app?: string): string {
  const rows = runsOf(world, app).map(({ about, hostId, kind, step, attempt, sinceMs, error }) => [
    kind,
    about,
    hostId,
    step,
    String(attempt),
    age(sinceMs, world.nowMs),
    error?.message ?? "",
  ]);
  return tableOf(["OPERATION", "OF", "HOST", "STEP", "ATTEMPT", "FOR", "LAST ERROR"], rows);
}

function reservationTable(world: World, app?: string): string {
  const rows = reservationsOf(world, app).map((each) => [
    each.id,
    each.machineId ?? each.volumeId ?? "",
    each.hostId,
    `${each.resources.cpuMillis}/${each.resources.memoryMib}`,
    new Date(each.lapsesAtMs).toISOString(),
  ]);
  return tableOf(["RESERVATION", "FOR", "HOST", "CPU MILLIS/MEMORY MIB", "LAPSES ABOUT"], rows);
}
