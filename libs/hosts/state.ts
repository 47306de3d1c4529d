import type { Resources } from "#contracts";
import type { RefusalCode } from "#kernel";
import type { Machine } from "#machines";
import type { Snapshot, Volume } from "#volumes";
import { emptyHoldings, type Holdings, holdingsOf } from "./holdings.ts";
import { type Claimant, claimantId, type Reservation } from "./reservation.ts";

/** A commit that was refused: the same epoch is refused for as long as this is remembered. */
export interface RefusedCommit extends Claimant {
  readonly epoch: number;
  readonly code: RefusalCode;
  readonly message: string;
  readonly atMs: number;
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
  /** By reservation id. A machine or a volume has one at the most. */
  readonly reservations: Map<string, Reservation>;
  /** All that exist, and the last destroyed ones, in order of creation. */
  readonly machines: Map<string, Machine>;
  /** Destroyed machines still remembered, oldest first, with when they went: late commands find them. */
  readonly departed: { readonly id: string; readonly atMs: number }[];
  /** All that exist, and the last destroyed ones, in order of creation. */
  readonly volumes: Map<string, Volume>;
  /** Likewise: they outlive their volumes. */
  readonly snapshots: Map<string, Snapshot>;
  /** Destroyed volumes and snapshots still remembered, oldest first. */
  readonly departedVolumes: { readonly id: string; readonly atMs: number }[];
  /** By the machine's or volume's id, oldest first: a commit that was long on its way finds them. */
  readonly refusedCommits: Map<string, RefusedCommit>;
  /** What all of these hold; derived from them. */
  holdings: Holdings;
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
    volumes: new Map(),
    snapshots: new Map(),
    departedVolumes: [],
    refusedCommits: new Map(),
    holdings: emptyHoldings(),
  };
}

/** Version of the fold: it changes whenever the same log would fold to another state (I4). */
export const HOST_FOLD_VERSION = 1;

/** Fields that are in a checkpoint as lists: order counts, and each entry knows its own key. */
interface HostLists {
  readonly reservations: readonly Reservation[];
  readonly machines: readonly Machine[];
  readonly departed: Host["departed"];
  readonly refusedCommits: readonly RefusedCommit[];
}

/** Left out as long as a host has none: what was written before there were volumes reads the same (I4). */
interface VolumeLists {
  readonly volumes?: readonly Volume[];
  readonly snapshots?: readonly Snapshot[];
  readonly departedVolumes?: Host["departedVolumes"];
}

/** The state as plain JSON, for checkpoints and hashes. */
export function hostToJson(state: Host): unknown {
  const { holdings: _, volumes, snapshots, departedVolumes, ...host } = state;
  const lists: HostLists = {
    reservations: [...host.reservations.values()],
    machines: [...host.machines.values()],
    departed: [...host.departed],
    refusedCommits: [...host.refusedCommits.values()],
  };
  const more: VolumeLists = {
    ...(volumes.size === 0 ? {} : { volumes: [...volumes.values()] }),
    ...(snapshots.size === 0 ? {} : { snapshots: [...snapshots.values()] }),
    ...(departedVolumes.length === 0 ? {} : { departedVolumes: [...departedVolumes] }),
  };
  return { ...host, ...lists, ...more };
}

/** Reads what `hostToJson` wrote in the same fold version. Keeps nothing of `json` that is changed later. */
export function hostFromJson(json: unknown): Host {
  const saved = json as Omit<Host, "holdings" | keyof HostLists | keyof VolumeLists> &
    HostLists &
    VolumeLists;
  const { volumes = [], snapshots = [], departedVolumes = [] } = saved;
  return {
    ...saved,
    reservations: new Map(saved.reservations.map((reservation) => [reservation.id, reservation])),
    machines: new Map(saved.machines.map((machine) => [machine.id, machine])),
    departed: [...saved.departed],
    refusedCommits: new Map(saved.refusedCommits.map((commit) => [claimantId(commit), commit])),
    volumes: new Map(volumes.map((volume) => [volume.id, volume])),
    snapshots: new Map(snapshots.map((snapshot) => [snapshot.id, snapshot])),
    departedVolumes: [...departedVolumes],
    holdings: holdingsOf(saved),
  };
}
