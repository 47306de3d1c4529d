import { type HostLogEvent, volumeMibOf } from "#contracts";
import { accepted, type Decision, type Refusal, refusal, refused, UNCHANGED } from "#kernel";
import {
  decideCreateVolume,
  decideSnapshot,
  decideTakeSnapshot,
  decideVolume,
  isGone,
  promisedGbOf,
} from "#volumes";
import { refuseAdmission, refuseSource } from "./admission.ts";
import { volumeNotFound } from "./attach.ts";
import { refuseUnlessFits } from "./capacity.ts";
import type { HostCommandOf } from "./command.ts";
import { answerKnown, commitRefused } from "./decide-commit.ts";
import { volumeRoom } from "./resources.ts";
import type { Host } from "./state.ts";

type HostDecision = Decision<HostLogEvent>;

/** Second half of a volume's placement, as for machines: a refusal is an event that the host stands by. */
export function decideCommitVolume(command: HostCommandOf<"CommitVolume">, host: Host): HostDecision {
  const known = answerKnown(command, host);
  if (known !== undefined) return known;
  const reason = refuseCommit(command, host);
  if (reason !== undefined) return commitRefused(command, host, reason);
  const { type: _, reservationId: commandId, snapshotId, forkOf, features: __, ...described } = command;
  const source = {
    ...(snapshotId === undefined ? {} : { sourceSnapshotId: snapshotId }),
    ...(forkOf === undefined ? {} : { sourceVolumeId: forkOf }),
  };
  return decideCreateVolume({ ...described, ...source, commandId, region: host.region });
}

function refuseCommit(command: HostCommandOf<"CommitVolume">, host: Host): Refusal | undefined {
  const { volumeId, reservationId, sizeGb } = command;
  const resources = volumeRoom(volumeMibOf(sizeGb));
  const reservation = host.reservations.get(reservationId);
  const reason =
    reservation?.volumeId === volumeId
      ? (refuseSource(host, command) ?? refuseUnlessFits(host, resources, reservation.resources))
      : refuseAdmission(host, { ...command, resources });
  return reason ?? refuseSmaller(sizeGb, host, command);
}

function refuseSmaller(
  sizeGb: number,
  { snapshots, volumes }: Host,
  { snapshotId = "", forkOf = "" }: HostCommandOf<"CommitVolume">,
): Refusal | undefined {
  const [snapshot, source] = [snapshots.get(snapshotId), volumes.get(forkOf)];
  const volumeSizeGb = snapshot?.volumeSizeGb ?? (source && promisedGbOf(source)) ?? 0;
  if (sizeGb >= volumeSizeGb) return undefined;
  const what = snapshot === undefined ? `volume ${forkOf} has` : `snapshot ${snapshotId} is of a volume of`;
  const message = `${what} ${volumeSizeGb} GB: ask for at least as much`;
  return refusal("invalid", message, { details: { volumeSizeGb } });
}

/** A volume's own decision, admitted only if it does not make the host promise more than it has (I8). */
export function decideForVolume({ volumeId, command }: HostCommandOf<"Volume">, host: Host): HostDecision {
  const volume = host.volumes.get(volumeId);
  if (volume === undefined) return refused(volumeNotFound(host, volumeId));
  const decision = decideVolume(command, volume);
  if (decision.kind !== "accepted") return decision;
  if (decision.event.type === "VolumeDestroying" && isBeingKept(host, volumeId)) {
    return busy(`a snapshot of volume ${volumeId} is being taken`);
  }
  if (decision.event.type === "VolumeDestroying" && isBeingForked(host, volumeId)) {
    return busy(`a volume is being made of volume ${volumeId}`);
  }
  if (decision.event.type !== "VolumeExtending") return decision;
  const [wanted, held] = [decision.event.data.sizeGb, volume.sizeGb].map(volumeMibOf).map(volumeRoom);
  const reason = refuseUnlessFits(host, wanted!, held);
  return reason === undefined ? decision : refused(reason);
}

function isBeingKept(host: Host, volumeId: string): boolean {
  return [...host.snapshots.values()].some((one) => one.volumeId === volumeId && one.state === "creating");
}

function isBeingForked(host: Host, volumeId: string): boolean {
  return [...host.volumes.values()].some(
    ({ state, sourceVolumeId }) => state === "restoring" && sourceVolumeId === volumeId,
  );
}

/** Asked again for a snapshot that there is, or was, nothing happens. */
export function decideTake(command: HostCommandOf<"TakeSnapshot">, host: Host): HostDecision {
  const { type: _, volumeId, ...taking } = command;
  const standing = host.snapshots.get(taking.snapshotId);
  if (standing?.volumeId === volumeId) return UNCHANGED;
  if (standing !== undefined) {
    return refused(refusal("invalid", `snapshot ${standing.id} is of another volume: use a new id`));
  }
  const volume = host.volumes.get(volumeId);
  if (volume === undefined || isGone(volume)) return refused(volumeNotFound(host, volumeId));
  const decision = decideTakeSnapshot(taking, volume);
  if (decision.kind !== "accepted") return decision;
  const reason = refuseUnlessFits(host, volumeRoom(taking.reservedMib));
  return reason === undefined ? decision : refused(reason);
}

export function decideForSnapshot(command: HostCommandOf<"Snapshot">, host: Host): HostDecision {
  const { volumeId, snapshotId } = command;
  const snapshot = host.snapshots.get(snapshotId);
  if (snapshot?.volumeId !== volumeId) {
    return refused(
      refusal("not_found", `no snapshot ${snapshotId} of volume ${volumeId} on host ${host.id}`),
    );
  }
  const decision = decideSnapshot(command.command, snapshot);
  if (decision.kind !== "accepted" || decision.event.type !== "SnapshotDestroying") return decision;
  const isRead = [...host.volumes.values()].some(
    ({ state, sourceSnapshotId }) => state === "restoring" && sourceSnapshotId === snapshotId,
  );
  return isRead ? busy(`a volume is being restored from snapshot ${snapshotId}`) : accepted(decision.event);
}

function busy(why: string): HostDecision {
  return refused(refusal("busy", `${why}: retry in a moment`, { retryAfterMs: 1_000 }));
}
