import type { MachineConfig } from "#contracts";
import { type FoundMachine, findHost, findMachine, findSnapshot, findVolume } from "#fleet";
import { type Host, promisedOf } from "#hosts";
import { currentStep, type OperationRun } from "#kernel";
import type { Machine } from "#machines";
import type { Route } from "#routing";
import type { Entity } from "./entity.ts";
import type { World } from "./world.ts";

/** What a fact may be: small enough to be shown in a line. */
export type Fact = string | number | boolean;

/**
 * Everything that is known of one entity, flat: by path ("state", "host", "config.guest.memory_mb"). What is not the case
 * is not there. Diffs, blame, invariants and the console all speak of these paths.
 */
export type Facts = Readonly<Record<string, Fact>>;

/** The facts of an entity; undefined when there is no such entity at that moment. */
export function factsOf(world: World, { kind, id }: Entity): Facts | undefined {
  switch (kind) {
    case "machine":
      return machineFacts(world, id);
    case "host":
      return hostFacts(world, id);
    case "volume":
      return volumeFacts(world, id);
    case "snapshot":
      return snapshotFacts(world, id);
    case "app":
      return appFacts(world, id);
    case "reservation":
      return reservationFacts(world, id);
  }
}

type Draft = Record<string, Fact>;

/** Puts down what is known; nothing for what is not. */
function put(facts: Draft, path: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (typeof value === "object") {
    for (const [key, member] of Object.entries(value)) put(facts, `${path}.${key}`, member);
    return;
  }
  facts[path] = value as Fact;
}

function machineFacts({ view, routes }: World, id: string): Facts | undefined {
  const found: FoundMachine | undefined = findMachine(view, id);
  if (found === undefined) return undefined;
  const facts: Draft = {};
  put(facts, "app", found.appName);
  put(facts, "host", found.hostId);
  put(facts, "region", found.region);
  put(facts, "epoch", found.epoch);
  put(facts, "state", found.machine?.state ?? placementState(found));
  putRoute(facts, routes.get(id));
  if (found.machine !== undefined) putMachine(facts, found.machine);
  return facts;
}

/** Of what no host has told of: CONTROL says where it is to be, or that no host took it. */
function placementState({ hostId }: { readonly hostId?: string }): "placed" | "refused" {
  return hostId === undefined ? "refused" : "placed";
}

/** A route is what routers know: on which host, in which state, at which address. */
function putRoute(facts: Draft, route: Route | undefined): void {
  if (route === undefined) return;
  put(facts, "route.host", route.hostId);
  put(facts, "route.state", route.state);
  put(facts, "route.start", route.startId);
}

function putMachine(facts: Draft, machine: Machine): void {
  put(facts, "name", machine.name);
  put(facts, "instance", machine.instanceId);
  put(facts, "ipv4", machine.ipv4);
  put(facts, "private_ip", machine.privateIp);
  put(facts, "image_digest", machine.imageDigest);
  put(facts, "holds_resources", machine.holdsResources);
  put(facts, "start", machine.startId);
  put(facts, "started_at_ms", machine.startedAtMs);
  put(facts, "queued", machine.queued?.intent);
  put(facts, "restarts", machine.restartsAtMs.length || undefined);
  put(facts, "error", machine.error);
  put(facts, "exit", machine.lastExit);
  putOperation(facts, machine.operation);
  Object.assign(facts, configFacts(machine.config));
}

/** A config is flattened once: the fold keeps it as one object for as long as it stands. */
const flattened = new WeakMap<MachineConfig, Facts>();

function configFacts(config: MachineConfig): Facts {
  const known = flattened.get(config);
  if (known !== undefined) return known;
  const facts: Draft = {};
  put(facts, "config", config);
  flattened.set(config, facts);
  return facts;
}

function putOperation(facts: Draft, run: OperationRun | undefined): void {
  if (run === undefined) return;
  put(facts, "operation.id", run.id);
  put(facts, "operation.kind", run.kind);
  put(facts, "operation.step", currentStep(run)?.name);
  put(facts, "operation.attempt", run.attempts + 1);
  put(facts, "operation.error", run.lastError);
}

function hostFacts({ view }: World, id: string): Facts | undefined {
  const host = findHost(view, id);
  const registered = view.control.hosts.get(id);
  if (host === undefined && registered === undefined) return undefined;
  const facts: Draft = {};
  put(facts, "region", host?.region ?? registered?.region);
  put(facts, "registered_log", registered?.logId);
  if (host !== undefined) putHost(facts, host);
  return facts;
}

function putHost(facts: Draft, host: Host): void {
  put(facts, "log", host.logId);
  put(facts, "agent_epoch", host.agentEpoch);
  put(facts, "boot", host.bootId);
  put(facts, "capacity", host.capacity);
  put(facts, "promised", promisedOf(host));
  put(facts, "max_machines", host.maxMachines);
  put(facts, "machines", host.machines.size - host.departed.length);
  put(facts, "reservations", host.reservations.size);
  put(facts, "features", host.features.join(" ") || undefined);
  put(facts, "cordon", host.cordon);
}

function volumeFacts({ view }: World, id: string): Facts | undefined {
  const found = findVolume(view, id);
  if (found === undefined) return undefined;
  const facts: Draft = {};
  const { volume } = found;
  put(facts, "app", found.appName);
  put(facts, "host", found.hostId);
  put(facts, "epoch", found.epoch);
  put(facts, "state", volume?.state ?? placementState(found));
  if (volume === undefined) return facts;
  put(facts, "name", volume.name);
  put(facts, "size_gb", volume.sizeGb);
  put(facts, "extending_to_gb", volume.extendingToGb);
  put(facts, "fstype", volume.fstype);
  put(facts, "attached_machine", volume.attachedMachineId);
  put(facts, "source_snapshot", volume.sourceSnapshotId);
  put(facts, "auto_backup", volume.autoBackup);
  put(facts, "snapshot_retention_days", volume.snapshotRetentionDays);
  put(facts, "error", volume.error);
  putOperation(facts, volume.operation);
  return facts;
}

function snapshotFacts({ view }: World, id: string): Facts | undefined {
  const found = findSnapshot(view, id);
  if (found === undefined) return undefined;
  const { hostId, snapshot } = found;
  const facts: Draft = {};
  put(facts, "host", hostId);
  put(facts, "app", snapshot.appName);
  put(facts, "volume", snapshot.volumeId);
  put(facts, "state", snapshot.state);
  put(facts, "origin", snapshot.origin);
  put(facts, "size_bytes", snapshot.sizeBytes);
  put(facts, "error", snapshot.error);
  putOperation(facts, snapshot.operation);
  return facts;
}

function appFacts({ view }: World, id: string): Facts | undefined {
  const app = view.control.apps.get(id);
  if (app === undefined) return undefined;
  const facts: Draft = { id: app.id, org: app.orgSlug, deleted: app.deleted };
  for (const { hostname, appId } of view.control.hostnames.values()) {
    if (appId === app.id) put(facts, `hostname.${hostname}`, true);
  }
  return facts;
}

function reservationFacts({ view }: World, id: string): Facts | undefined {
  for (const { host, hostId } of view.logs.values()) {
    const reservation = host.reservations.get(id);
    if (reservation === undefined) continue;
    const facts: Draft = { host: hostId };
    put(facts, "machine", reservation.machineId);
    put(facts, "volume", reservation.volumeId);
    put(facts, "epoch", reservation.epoch);
    put(facts, "resources", reservation.resources);
    put(facts, "ttl_ms", reservation.ttlMs);
    return facts;
  }
  return undefined;
}
