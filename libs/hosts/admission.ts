import type { PublishedPort, Resources } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { isGone, refuseFork } from "#volumes";
import { refuseAttach, volumeNotFound } from "./attach.ts";
import { appMachineCountOf, machineCountOf, refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { Reservation } from "./reservation.ts";
import type { Host } from "./state.ts";

interface Wish {
  readonly appName: string;
  readonly resources: Resources;
  /** What the host has to have. */
  readonly features?: readonly string[] | undefined;
}

/** A machine that wants to come to a host. */
export interface MachineWish extends Wish {
  readonly machineId: string;
  readonly ports: readonly PublishedPort[];
  /** No other machine of its app may be here. */
  readonly isAlone?: boolean | undefined;
  /** What it mounts. */
  readonly volumes?: readonly string[] | undefined;
}

/** A volume that wants to come to a host. */
export interface VolumeWish extends Wish {
  readonly volumeId: string;
  /** What it begins with. */
  readonly snapshotId?: string | undefined;
  readonly forkOf?: string | undefined;
  readonly name?: string | undefined;
  /** No other volume of its app and name may be here. */
  readonly isAlone?: boolean | undefined;
}

export type Wanted = (MachineWish | VolumeWish) & { readonly atMs: number };

/**
 * Whether the host would take this machine or volume now: the same question for a bid, for an offer and for a commit, so
 * that nobody acts on another's picture of it (I3). `own`: what is set aside for it already.
 */
export function refuseAdmission(host: Host, wanted: Wanted, own?: Reservation): Refusal | undefined {
  return (
    refuseWhileCordoned(host, wanted.atMs) ??
    ("machineId" in wanted ? refuseMachine(host, wanted, own) : refuseVolume(host, wanted)) ??
    refuseWithoutFeatures(host, wanted) ??
    refuseUnlessFits(host, wanted.resources, own?.resources)
  );
}

/** F24: says who wants it so, why, and how long. */
function refuseWhileCordoned({ id: hostId, cordon }: Host, atMs: number): Refusal | undefined {
  if (cordon === undefined || cordon.expiresAtMs <= atMs) return undefined;
  const { owner, reason, expiresAtMs } = cordon;
  const until = new Date(expiresAtMs).toISOString();
  return refusal("cordoned", `host ${hostId} is cordoned by ${owner} until ${until}: ${reason}`, {
    details: { hostId, owner, reason, expiresAtMs },
  });
}

function refuseMachine(host: Host, wanted: MachineWish, own?: Reservation): Refusal | undefined {
  const others = machineCountOf(host) - (own === undefined ? 0 : 1);
  if (others >= host.maxMachines) {
    return refusal("insufficient_capacity", `host ${host.id} holds its most of ${host.maxMachines} machines`);
  }
  return (
    refuseAttach(host, wanted) ??
    refuseCompany(host, wanted, own) ??
    refuseTakenPort(host, wanted.machineId, wanted.ports)
  );
}

function refuseVolume(host: Host, wanted: VolumeWish): Refusal | undefined {
  return refuseSource(host, wanted) ?? (wanted.isAlone === true ? refuseTwin(host, wanted) : undefined);
}

/** A reservation does not tell its volume's name: one of the same app may be a twin, for as long as it lives. */
function refuseTwin(host: Host, { volumeId, appName, name }: VolumeWish): Refusal | undefined {
  const isHere = [...host.volumes.values()].some(
    (volume) => volume.appName === appName && volume.name === name && !isGone(volume),
  );
  const isComing = [...host.reservations.values()].some(
    (other) => other.volumeId !== undefined && other.volumeId !== volumeId && other.appName === appName,
  );
  if (!isHere && !isComing) return undefined;
  const message = `host ${host.id} has a volume ${name} of app ${appName}, and this one is to be apart from it`;
  return refusal("insufficient_capacity", message, { details: { hostId: host.id } });
}

/** Volumes and snapshots stay on their host: what begins with one is made there. */
export function refuseSource(
  host: Host,
  { snapshotId, forkOf, appName }: Pick<VolumeWish, "snapshotId" | "forkOf" | "appName">,
): Refusal | undefined {
  if (snapshotId !== undefined) {
    const snapshot = host.snapshots.get(snapshotId);
    if (snapshot?.appName === appName && snapshot.state === "created") return undefined;
    return refusal("not_found", `no snapshot ${snapshotId} of app ${appName} is on host ${host.id}`);
  }
  if (forkOf === undefined) return undefined;
  const source = host.volumes.get(forkOf);
  if (source?.appName !== appName || isGone(source)) return volumeNotFound(host, forkOf);
  return refuseFork(source);
}

function refuseWithoutFeatures(host: Host, { features = [] }: Wish): Refusal | undefined {
  const missing = features.filter((feature) => !host.features.includes(feature));
  if (missing.length === 0) return undefined;
  const message = `host ${host.id} lacks ${missing.join(", ")}: it has ${host.features.join(", ")}`;
  return refusal("unsupported", message, { details: { hostId: host.id, missing } });
}

function refuseCompany(
  host: Host,
  { appName, isAlone = false }: MachineWish,
  own?: Reservation,
): Refusal | undefined {
  const others = appMachineCountOf(host, appName) - (own?.appName === appName ? 1 : 0);
  if (!isAlone || others === 0) return undefined;
  const message = `host ${host.id} has a machine of app ${appName}, and this one is to be apart from them`;
  return refusal("insufficient_capacity", message, { details: { hostId: host.id, appMachines: others } });
}
