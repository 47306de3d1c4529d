import type { VolumeEvent } from "#contracts";
import { evolveSnapshot, evolveVolume, isSnapshotEvent, snapshotFrom, volumeFrom } from "#volumes";
import { endReservation } from "./evolve-reservation.ts";
import { holdSnapshot, holdVolume } from "./holdings.ts";
import type { Host } from "./state.ts";

/** What is over is remembered for this long, and beyond it while there is little of it. */
const MEMORY_MS = 600_000;
const MEMORY_COUNT = 1_000;

/** The host after an event of one of its volumes, or of a snapshot. Changes `host` in place. */
export function evolveVolumes(host: Host, event: VolumeEvent, atMs: number): Host {
  return isSnapshotEvent(event) ? applyToSnapshot(host, event, atMs) : applyToVolume(host, event, atMs);
}

function applyToVolume(host: Host, event: Parameters<typeof evolveVolume>[1], atMs: number): Host {
  const { volumeId } = event.data;
  const before = host.volumes.get(volumeId);
  if (event.type === "VolumeCreating") endReservation(host, host.holdings.reservationOf.get(volumeId));
  const after =
    event.type === "VolumeCreating" ? volumeFrom(event.data) : before && evolveVolume(before, event, atMs);
  if (after === undefined) return host;
  host.volumes.set(volumeId, after);
  if (before !== undefined) holdVolume(host.holdings, before, -1);
  holdVolume(host.holdings, after);
  if (event.type === "VolumeDestroyed") depart(host, volumeId, atMs);
  return host;
}

function applyToSnapshot(host: Host, event: Parameters<typeof evolveSnapshot>[1], atMs: number): Host {
  const { snapshotId, volumeId } = event.data as { readonly snapshotId: string; readonly volumeId: string };
  const before = host.snapshots.get(snapshotId);
  const volume = host.volumes.get(volumeId);
  const born =
    event.type === "SnapshotCreating" && volume !== undefined ? snapshotFrom(event.data, volume) : undefined;
  const after = born ?? (before && evolveSnapshot(before, event, atMs));
  if (after === undefined) return host;
  host.snapshots.set(snapshotId, after);
  if (before !== undefined) holdSnapshot(host.holdings, before, -1);
  holdSnapshot(host.holdings, after);
  if (event.type === "SnapshotDestroyed") depart(host, snapshotId, atMs);
  return host;
}

/** Bounded memory, as for machines (F15). */
function depart(host: Host, id: string, atMs: number): void {
  host.departedVolumes.push({ id, atMs });
  while (host.departedVolumes.length > MEMORY_COUNT && host.departedVolumes[0]!.atMs < atMs - MEMORY_MS) {
    const gone = host.departedVolumes.shift()!;
    host.volumes.delete(gone.id);
    host.snapshots.delete(gone.id);
  }
}
