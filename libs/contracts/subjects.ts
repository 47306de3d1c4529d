/** Every subject of Drover, in one place. Ids never hold dots, spaces or wildcards (checked where they enter). */
export const subjects = {
  /** All events of a host's log. */
  hostLog: (hostId: string) => `evt.host.${hostId}.>`,
  host: (hostId: string) => `evt.host.${hostId}.host`,
  machine: (hostId: string, machineId: string) => `evt.host.${hostId}.machine.${machineId}`,
  control: (kind: ControlKind, name: string) => `evt.control.${kind}.${name}`,
  /** Plain NATS: an event just appended, with its sequence. */
  live: (hostId: string) => `live.host.${hostId}`,
  /** Plain NATS: lines of one machine's log, for whoever asked for them under `streamId`. */
  logLines: (hostId: string, streamId: string) => `logs.host.${hostId}.${streamId}`,
  bid: (region: string) => `cmd.region.${region}.bid`,
  hostCommand: (hostId: string, verb: HostVerb) => `cmd.host.${hostId}.${verb}`,
  scheduler: (verb: SchedulerVerb) => `cmd.scheduler.${verb}`,
} as const;

export type ControlKind = "app" | "machine" | "name" | "idempotency" | "host" | "token";

export const HOST_VERBS = [
  "offer",
  "commit",
  "release",
  "machine",
  "get",
  "inspect",
  "events",
  "logs",
  "cordon",
] as const;
export type HostVerb = (typeof HOST_VERBS)[number];

export const SCHEDULER_VERBS = ["place", "register", "tail"] as const;
export type SchedulerVerb = (typeof SCHEDULER_VERBS)[number];

/** Ids that may stand in a subject: letters, digits, `-` and `_`. */
export const SUBJECT_TOKEN = /^[A-Za-z0-9_-]{1,128}$/;
