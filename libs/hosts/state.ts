import type { PublishedPort, Resources } from "#contracts";
import type { Machine } from "#machines";

/** Capacity that was promised to a machine that is not committed yet. The host itself lets it expire. */
export interface Reservation {
  readonly id: string;
  readonly machineId: string;
  readonly epoch: number;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
  readonly ttlMs: number;
}

/** Why a host takes no new machines, who said so, and until when (F24). */
export interface Cordon {
  readonly owner: string;
  readonly reason: string;
  readonly expiresAtMs: number;
}

/**
 * A host as the fold of its own log: the whole truth about its machines. The maps are changed in place by `evolveHost`
 * (a fold over a million events cannot copy them); everything in them is immutable.
 */
export interface Host {
  id: string;
  logId: string;
  clusterId: string;
  region: string;
  /** First two bytes of its machines' IPv4 addresses, e.g. "10.213". */
  subnet: string;
  /** The agent that may append; it grows with each start of an agent (I1, F19). */
  agentEpoch: number;
  bootId: string;
  capacity: Resources;
  maxMachines: number;
  features: readonly string[];
  cordon?: Cordon;
  /** Host part of the next machine's address: it only grows, so that an address rests long before it is used again (F31). */
  nextAddress: number;
  readonly reservations: Map<string, Reservation>;
  /** All that exist, and the last destroyed ones, in order of creation. */
  readonly machines: Map<string, Machine>;
  /** Destroyed machines still remembered, oldest first, with when they went: late commands find them. */
  readonly departed: { readonly id: string; readonly atMs: number }[];
}

export const FIRST_ADDRESS = 256;
/** Addresses of a /16, less the network's first 256 and its last one. */
export const LAST_ADDRESS = 65_534;

/** A host before its first event. */
export function emptyHost(): Host {
  return {
    id: "",
    logId: "",
    clusterId: "",
    region: "",
    subnet: "",
    agentEpoch: 0,
    bootId: "",
    capacity: { cpuMillis: 0, memoryMib: 0 },
    maxMachines: 0,
    features: [],
    nextAddress: FIRST_ADDRESS,
    reservations: new Map(),
    machines: new Map(),
    departed: [],
  };
}

/** Version of the fold: it changes whenever the same log would fold to another state (I4). */
export const HOST_FOLD_VERSION = 1;

/** The state as plain JSON, for checkpoints and hashes. */
export function hostToJson(host: Host): unknown {
  return {
    ...host,
    reservations: [...host.reservations.values()],
    machines: [...host.machines.values()],
    departed: [...host.departed],
  };
}

/** Reads what `hostToJson` wrote in the same fold version. */
export function hostFromJson(json: unknown): Host {
  const saved = json as Omit<Host, "reservations" | "machines"> & {
    reservations: Reservation[];
    machines: Machine[];
  };
  return {
    ...saved,
    reservations: new Map(saved.reservations.map((reservation) => [reservation.id, reservation])),
    machines: new Map(saved.machines.map((machine) => [machine.id, machine])),
  };
}
