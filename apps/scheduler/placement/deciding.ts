import {
  type AnswerOf,
  type CallMeta,
  mountedVolumesOf,
  placementRulesOf,
  type RequestOf,
  type Resources,
  resourcesOf,
  type schedulerCalls,
  volumeMibOf,
} from "#contracts";
import type { OwnerGone, PlacementWish } from "#control";

export type MachineRequest = RequestOf<typeof schedulerCalls.place>;
export type VolumeRequest = RequestOf<typeof schedulerCalls.placeVolume>;
/** What wants a place: a machine, or a volume. */
export type PlaceRequest = MachineRequest | VolumeRequest;

/** What became of a request once it has its place. */
export type Placed<Q extends PlaceRequest = PlaceRequest> = Q extends VolumeRequest
  ? AnswerOf<typeof schedulerCalls.placeVolume>
  : AnswerOf<typeof schedulerCalls.place>;

/** Who owns a machine or a volume from now on. */
export interface Decided {
  readonly hostId: string;
  readonly region: string;
  readonly epoch: number;
}

/** Why one host did not take it (F09). */
export interface HostRefusal {
  readonly hostId: string;
  readonly code: string;
  readonly message: string;
}

/** What one epoch of a placement is decided from. */
export interface Deciding {
  readonly request: PlaceRequest;
  readonly epoch: number;
  readonly refusals: readonly HostRefusal[];
  /** The owner of the epoch before, when it refused the commit. */
  readonly ownerGone: OwnerGone | undefined;
  readonly meta: CallMeta;
}

export function isOfVolume(request: PlaceRequest): request is VolumeRequest {
  return "volumeId" in request;
}

/** "machine 4d8a…", "volume vol_…". */
export function nameOf(request: PlaceRequest): string {
  return isOfVolume(request) ? `volume ${request.volumeId}` : `machine ${request.machineId}`;
}

/** Its id, by the name that events and commands have for it. */
export function idOf(request: PlaceRequest) {
  return isOfVolume(request) ? { volumeId: request.volumeId } : { machineId: request.machineId };
}

/**
 * The volume whose host is the only place for it: the one that a machine mounts, or the one that another volume begins
 * with, or whose snapshot. None leaves its host.
 */
export function neighbourOf(request: PlaceRequest): string | undefined {
  return isOfVolume(request)
    ? (request.sourceVolumeId ?? request.forkOf)
    : mountedVolumesOf(request.config)[0];
}

/** What the place has to be like, defaults filled in. */
export function wishOf(request: PlaceRequest): PlacementWish {
  const { region: regions } = request;
  if (!isOfVolume(request)) return { regions, ...placementRulesOf(request.config.placement) };
  const { features = [], isAlone = false } = request;
  return { regions, policy: "spread", antiAffinity: isAlone ? "hard" : "none", features };
}

/** What is needed of any host: what bids and offers ask for. */
export function wantedOf(request: PlaceRequest) {
  return isOfVolume(request) ? wantedByVolume(request) : wantedByMachine(request);
}

function wantedByMachine({ machineId, appName, config }: MachineRequest) {
  const { features, antiAffinity } = placementRulesOf(config.placement);
  return {
    machineId,
    appName,
    resources: resourcesOf(config),
    ports: config.publish ?? [],
    features: [...features],
    isAlone: antiAffinity === "hard",
    volumes: mountedVolumesOf(config),
  };
}

function wantedByVolume(request: VolumeRequest) {
  const { volumeId, appName, name, sizeGb, compute, features, snapshotId, forkOf, isAlone } = request;
  const beside: Resources =
    compute === undefined ? { cpuMillis: 0, memoryMib: 0 } : resourcesOf({ guest: compute });
  const resources = { ...beside, volumeMib: volumeMibOf(sizeGb) };
  return { volumeId, appName, name, resources, features, snapshotId, forkOf, isAlone };
}
