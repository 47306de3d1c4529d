import type { AppRecord } from "./app.ts";
import type { HostRegistration } from "./host-registration.ts";
import type { HostnameHolder } from "./hostname.ts";
import type { IdempotencyKey } from "./idempotency-key.ts";
import type { NameHolder } from "./machine-name.ts";
import type { Placement } from "./placement.ts";
import type { Token } from "./token.ts";
import type { VolumePlacement } from "./volume-placement.ts";

/**
 * What belongs to no host, as the fold of CONTROL. Deciders look at one aggregate of it, so the fold of that aggregate's
 * subject alone is as good as the fold of everything. The maps are changed in place by `evolveControl`; everything in
 * them is immutable.
 */
export interface ControlState {
  /** By name. Deleted ones stay: their events are still shown. */
  readonly apps: Map<string, AppRecord>;
  /** By `nameKey`. */
  readonly names: Map<string, NameHolder>;
  /** By the hash of the key, in order of their claims; those older than a day are forgotten. */
  readonly idempotencyKeys: Map<string, IdempotencyKey>;
  /** By machine id. */
  readonly placements: Map<string, Placement>;
  /** By volume id. */
  readonly volumePlacements: Map<string, VolumePlacement>;
  /** By host id. */
  readonly hosts: Map<string, HostRegistration>;
  /** By token id. */
  readonly tokens: Map<string, Token>;
  /** By hostname. Those of deleted apps stay until somebody claims them: see `HostnameHolder`. */
  readonly hostnames: Map<string, HostnameHolder>;
}

/** CONTROL before its first event. */
export function emptyControl(): ControlState {
  return {
    apps: new Map(),
    names: new Map(),
    idempotencyKeys: new Map(),
    placements: new Map(),
    volumePlacements: new Map(),
    hosts: new Map(),
    tokens: new Map(),
    hostnames: new Map(),
  };
}

/** Version of the fold: it changes whenever the same log would fold to another state (I4). */
export const CONTROL_FOLD_VERSION = 4;

interface ControlJson {
  readonly apps: AppRecord[];
  readonly names: [string, NameHolder][];
  readonly idempotencyKeys: IdempotencyKey[];
  readonly placements: Placement[];
  /** Left out while there are none: what was written before there were volumes reads the same (I4). */
  readonly volumePlacements?: VolumePlacement[];
  readonly hosts: HostRegistration[];
  readonly tokens: Token[];
  readonly hostnames: HostnameHolder[];
}

/** The state as plain JSON, for checkpoints and hashes. */
export function controlToJson(state: ControlState): ControlJson {
  return {
    apps: [...state.apps.values()],
    names: [...state.names],
    idempotencyKeys: [...state.idempotencyKeys.values()],
    placements: [...state.placements.values()],
    ...(state.volumePlacements.size > 0 && { volumePlacements: [...state.volumePlacements.values()] }),
    hosts: [...state.hosts.values()],
    tokens: [...state.tokens.values()],
    hostnames: [...state.hostnames.values()],
  };
}

/** Reads what `controlToJson` wrote in the same fold version. */
export function controlFromJson(json: unknown): ControlState {
  const saved = json as ControlJson;
  return {
    apps: new Map(saved.apps.map((app) => [app.name, app])),
    names: new Map(saved.names),
    idempotencyKeys: new Map(saved.idempotencyKeys.map((key) => [key.keyHash, key])),
    placements: new Map(saved.placements.map((placement) => [placement.machineId, placement])),
    volumePlacements: new Map(saved.volumePlacements?.map((placement) => [placement.volumeId, placement])),
    hosts: new Map(saved.hosts.map((host) => [host.hostId, host])),
    tokens: new Map(saved.tokens.map((token) => [token.id, token])),
    hostnames: new Map(saved.hostnames.map((holder) => [holder.hostname, holder])),
  };
}
