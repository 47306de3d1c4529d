/** Every subject of Drover, in one place. Ids never hold dots, spaces or wildcards (checked where they enter). */
export const subjects = {
  /** All events of a host's log. */
  hostLog: (hostId: string) => `evt.host.${hostId}.>`,
  host: (hostId: string) => `evt.host.${hostId}.host`,
  machine: (hostId: string, machineId: string) => `evt.host.${hostId}.machine.${machineId}`,
  /** Events of a volume and of its snapshots. */
  volume: (hostId: string, volumeId: string) => `evt.host.${hostId}.volume.${volumeId}`,
  control: (kind: ControlKind, name: string) => `evt.control.${kind}.${name}`,
  /** Plain NATS: an event just appended, with its sequence. */
  live: (hostId: string) => `live.host.${hostId}`,
  /** Plain NATS: lines of one machine's log, for whoever asked for them under `streamId`. */
  logLines: (hostId: string, streamId: string) => `logs.host.${hostId}.${streamId}`,
  /** Plain NATS: frames to a program that runs beside a machine's own process, and from it. */
  execInput: (hostId: string, execId: string) => `exec.host.${hostId}.${execId}.in`,
  execOutput: (hostId: string, execId: string) => `exec.host.${hostId}.${execId}.out`,
  /** Plain NATS: a router's load lease for one host's machines. */
  load: (hostId: string) => `load.host.${hostId}`,
  /** What became of one request that had to wait: a bounded stream at the hub, where it is found by its id. */
  trace: (routerId: string, requestId: string) => `trace.router.${routerId}.${requestId}`,
  bid: (region: string) => `cmd.region.${region}.bid`,
  hostCommand: (hostId: string, verb: HostVerb) => `cmd.host.${hostId}.${verb}`,
  scheduler: (verb: SchedulerVerb) => `cmd.scheduler.${verb}`,
  volumes: (verb: VolumesVerb) => `cmd.volumes.${verb}`,
  /** A host's own call to the scheduler. It names the host that asks, and only that host's credentials may use it. */
  hostToScheduler: (hostId: string, verb: HostToSchedulerVerb) => `cmd.scheduler.${verb}.${hostId}`,
  /** Prefix of where a user's answers arrive, those of JetStream too. Nobody else may subscribe there. */
  inbox: (user: string) => `_INBOX.${user}`,
  /** Prefix of where answers to a user's calls arrive. Hosts may answer here, never where JetStream does. */
  answers: (user: string) => `_INBOX.${user}.answer`,
} as const;

export type ControlKind =
  | "app"
  | "machine"
  | "volume"
  | "name"
  | "idempotency"
  | "host"
  | "token"
  | "hostname"
  | "drift";

export const HOST_VERBS = [
  "offer",
  "commit",
  "release",
  "machine",
  "wake",
  "exec",
  "get",
  "inspect",
  "events",
  "logs",
  "cordon",
  "commit-volume",
  "volume",
  "snapshot",
  "get-volume",
] as const;
export type HostVerb = (typeof HOST_VERBS)[number];

export const SCHEDULER_VERBS = ["place", "place-volume", "survey"] as const;
export type SchedulerVerb = (typeof SCHEDULER_VERBS)[number];

/** The service volumes answers them. */
export const VOLUMES_VERBS = ["create", "extend", "update", "destroy", "snapshot"] as const;
export type VolumesVerb = (typeof VOLUMES_VERBS)[number];

/** The scheduler answers them on `subjects.hostToScheduler("*", verb)`. */
export const HOST_TO_SCHEDULER_VERBS = ["register", "tail"] as const;
export type HostToSchedulerVerb = (typeof HOST_TO_SCHEDULER_VERBS)[number];

/** Ids that may stand in a subject: letters, digits, `-` and `_`. */
export const SUBJECT_TOKEN = /^[A-Za-z0-9_-]{1,128}$/;
