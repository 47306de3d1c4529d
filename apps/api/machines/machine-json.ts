import { resourcesOf } from "#contracts";
import type { Machine } from "#machines";
import type { MachineEventJson } from "./event-json.ts";

/** A machine as the Machines API shows it (schema `Machine`), plus what Drover adds: host, waiting, exit. */
export interface MachineJson {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly region: string;
  readonly instance_id: string;
  readonly private_ip: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly [more: string]: unknown;
}

/** Which host has it, and whether that host was heard of lately. */
export interface Whereabouts {
  readonly hostId: string;
  readonly status: "ok" | "unknown" | "unreachable";
}

/** The API's picture of a machine. `events`: its latest ones, the last first. */
export function machineJson(
  machine: Machine,
  where: Whereabouts,
  events: readonly MachineEventJson[],
): MachineJson {
  return {
    ...machineSummaryJson(machine, where),
    config: withDefaults(machine),
    host_status: where.status,
    events,
  };
}

/** The short form that `summary=true` asks for. */
export function machineSummaryJson(machine: Machine, where: Whereabouts): MachineJson {
  return {
    id: machine.id,
    name: machine.name,
    state: machine.state,
    region: machine.region,
    instance_id: machine.instanceId,
    private_ip: machine.privateIp,
    image_ref: imageRefOf(machine),
    created_at: new Date(machine.createdAtMs).toISOString(),
    updated_at: new Date(machine.updatedAtMs).toISOString(),
    drover: droverOf(machine, where),
  };
}

/** A machine among those of an organization (schema `OrgMachine`). `summary`: without its config. */
export function orgMachineJson(machine: Machine, summary: boolean): Record<string, unknown> {
  const { image, metadata } = machine.config;
  const config = { image, guest: withDefaults(machine).guest, metadata: metadata ?? {} };
  return {
    id: machine.id,
    name: machine.name,
    app_name: machine.appName,
    state: machine.state,
    region: machine.region,
    version: machine.instanceId,
    instance_id: machine.instanceId,
    private_ip: machine.privateIp,
    created_at: new Date(machine.createdAtMs).toISOString(),
    updated_at: new Date(machine.updatedAtMs).toISOString(),
    ...(summary ? {} : { config }),
  };
}

/** What Fly's API has no field for: why a machine is where it is, and what it waits for (I9). */
function droverOf(machine: Machine, where: Whereabouts): Record<string, unknown> {
  return {
    app: machine.appName,
    host: where.hostId,
    ipv4: machine.ipv4,
    epoch: machine.epoch,
    ...(machine.isCordoned === true ? { cordoned: true } : {}),
    ...(machine.queued === undefined ? {} : { queued: machine.queued.intent }),
    ...(machine.error === undefined ? {} : { error: machine.error }),
    ...(machine.lastExit === undefined ? {} : { last_exit: machine.lastExit }),
    ...waitingJson(machine),
  };
}

/** The step that it is at, when it is on its way somewhere, and why that takes so long. */
export function waitingJson({
  operation: run,
  updatedAtMs,
}: Pick<Machine, "operation" | "updatedAtMs">): Record<string, unknown> {
  const step = run?.steps[run.outputs.length];
  if (run === undefined || step === undefined) return {};
  const waiting = {
    operation: run.kind,
    operation_id: run.id,
    step: step.name,
    attempt: run.attempts + 1,
    since: new Date(updatedAtMs).toISOString(),
    ...(run.lastError === undefined ? {} : { last_error: run.lastError }),
  };
  return { waiting_for: waiting };
}

/** The config as given, with the guest's defaults written out as Fly's API does. */
function withDefaults(machine: Machine): Record<string, unknown> {
  const { memoryMib } = resourcesOf(machine.config);
  const guest = { cpu_kind: "shared", cpus: 1, ...machine.config.guest, memory_mb: memoryMib };
  return { ...machine.config, guest };
}

/** `ImageRef`: registry, repository and tag of the reference, and the digest that was pulled. */
function imageRefOf(machine: Machine): Record<string, unknown> {
  const digest = machine.imageDigest === undefined ? {} : { digest: machine.imageDigest };
  const { image } = machine.config;
  if (image.startsWith("oci:")) return { registry: "", repository: image, ...digest };
  const [withoutDigest = image] = image.split("@");
  const slash = withoutDigest.indexOf("/");
  const first = slash < 0 ? "" : withoutDigest.slice(0, slash);
  const hasRegistry = first.includes(".") || first.includes(":") || first === "localhost";
  const path = hasRegistry ? withoutDigest.slice(slash + 1) : withoutDigest;
  const colon = path.lastIndexOf(":");
  return {
    registry: hasRegistry ? first : "docker.io",
    repository: colon < 0 ? path : path.slice(0, colon),
    ...(colon < 0 ? {} : { tag: path.slice(colon + 1) }),
    ...digest,
  };
}
