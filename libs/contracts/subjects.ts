/** Every subject of Drover, in one place. Ids never hold dots, spaces or wildcards (checked where they enter). */
export const subjects = {
  /** All events of a host's log. */
  hostLog: (hostId: string) => `evt.host.${hostId}.>`,
  host: (hostId: string) => `evt.host.${hostId}.host`,
  machine: (hostId: string, machineId: string) => `evt.host.${hostId}.machine.${machineId}`,
  control: (kind: ControlKind, name: string) => `evt.control.${kind}.${name}`,
  /** Plain NATS: an event just appended, with its sequence. */
  live: (hostId: string) => `live.host.${hostId}`,
  bid: (region: string) => `cmd.region.${region}.bid`,
  hostCommand: (hostId: string, verb: HostVerb) => `cmd.host.${hostId}.${verb}`,
  scheduler: (verb: "place") => `cmd.scheduler.${verb}`,
} as const;

export type ControlKind = "app" | "machine" | "name" | "idempotency" | "host" | "token";
export type HostVerb = "offer" | "commit" | "release" | "machine" | "query" | "logs";

/** Ids that may stand in a subject: letters, digits, `-` and `_`. */
export const SUBJECT_TOKEN = /^[A-Za-z0-9_-]{1,128}$/;
