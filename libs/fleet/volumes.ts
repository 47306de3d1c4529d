import type { VolumePlacement } from "#control";
import type { Snapshot, Volume } from "#volumes";
import type { FleetView } from "./fleet-view.ts";
import { currentLogs } from "./queries.ts";

/** A volume as far as it is known. */
export interface FoundVolume extends VolumePlacement {
  /** Absent while only its placement is known: its host has not told of it yet. */
  readonly volume?: Volume;
}

/** A snapshot, and the host that has it. */
export interface FoundSnapshot {
  readonly hostId: string;
  readonly snapshot: Snapshot;
}

/** The volume of this id: it lives in one host's log (I6). */
export function findVolume(view: FleetView, volumeId: string): FoundVolume | undefined {
  for (const [hostId, { host }] of currentLogs(view)) {
    const volume = host.volumes.get(volumeId);
    if (volume !== undefined) return found(hostId, volume);
  }
  return view.control.volumePlacements.get(volumeId);
}

/** All volumes that somebody has, or is about to have, of one app or of all: destroyed ones while they are remembered. */
export function listVolumes(view: FleetView, appName?: string): FoundVolume[] {
  const hosted = [...currentLogs(view)].flatMap(([hostId, { host }]) =>
    [...host.volumes.values()].map((volume) => found(hostId, volume)),
  );
  const there = new Set(hosted.map(({ volumeId }) => volumeId));
  const coming = [...view.control.volumePlacements.values()].filter(
    ({ volumeId, hostId }) => hostId !== undefined && !there.has(volumeId),
  );
  const isMeant = (one: FoundVolume) => appName === undefined || one.appName === appName;
  return [...hosted, ...coming].filter(isMeant);
}

export function findSnapshot(view: FleetView, snapshotId: string): FoundSnapshot | undefined {
  for (const [hostId, { host }] of currentLogs(view)) {
    const snapshot = host.snapshots.get(snapshotId);
    if (snapshot !== undefined) return { hostId, snapshot };
  }
  return undefined;
}

/** All snapshots, of one volume or of all, oldest first: destroyed ones while they are remembered. */
export function listSnapshots(view: FleetView, volumeId?: string): FoundSnapshot[] {
  return [...currentLogs(view)]
    .flatMap(([hostId, { host }]) => [...host.snapshots.values()].map((snapshot) => ({ hostId, snapshot })))
    .filter(({ snapshot }) => volumeId === undefined || snapshot.volumeId === volumeId)
    .sort((a, b) => a.snapshot.createdAtMs - b.snapshot.createdAtMs);
}

function found(hostId: string, volume: Volume): FoundVolume {
  const { id: volumeId, appName, epoch, region } = volume;
  return { volumeId, appName, epoch, hostId, region, volume };
}
