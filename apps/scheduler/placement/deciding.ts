import {
  type AnswerOf,
  type CallMeta,
  placementRulesOf,
  type RequestOf,
  resourcesOf,
  type schedulerCalls,
} from "#contracts";
import type { OwnerGone, PlacementWish } from "#control";

export type PlaceRequest = RequestOf<typeof schedulerCalls.place>;
export type Placed = AnswerOf<typeof schedulerCalls.place>;

/** Who owns a machine from now on. */
export interface Decided {
  readonly hostId: string;
  readonly region: string;
  readonly epoch: number;
}

/** Why one host did not take the machine (F09). */
export interface HostRefusal {
  readonly hostId: string;
  readonly code: string;
  readonly message: string;
}

/** What one epoch of a machine's placement is decided from. */
export interface Deciding {
  readonly request: PlaceRequest;
  readonly epoch: number;
  readonly refusals: readonly HostRefusal[];
  /** The owner of the epoch before, when it refused the commit. */
  readonly ownerGone: OwnerGone | undefined;
  readonly meta: CallMeta;
}

/** What the place of a machine has to be like, defaults filled in. */
export function wishOf({ region, config }: PlaceRequest): PlacementWish {
  return { regions: region, ...placementRulesOf(config.placement) };
}

/** What a machine needs of any host: what bids and offers ask for. */
export function wantedOf({ machineId, appName, config }: PlaceRequest) {
  const { features, antiAffinity } = placementRulesOf(config.placement);
  return {
    machineId,
    appName,
    resources: resourcesOf(config),
    ports: config.publish ?? [],
    features: [...features],
    isAlone: antiAffinity === "hard",
  };
}
