import type { Snapshot, Volume } from "#volumes";
import { type Whereabouts, waitingJson } from "../machines/machine-json.ts";

const BYTES_PER_GB = 1024 ** 3;
const BLOCK_BYTES = 4096;

/** What a volume holds at this moment, as its host's store says. */
export interface Usage {
  readonly usedBytes: number;
  readonly totalBytes: number;
}

/** A volume as the Machines API shows it (schema `Volume`), plus what Drover adds: its app, its host, what it waits for. */
export function volumeJson(volume: Volume, where: Whereabouts, usage?: Usage): Record<string, unknown> {
  return {
    id: volume.id,
    name: volume.name,
    state: volume.state,
    size_gb: volume.sizeGb,
    region: volume.region,
    // No two volumes are safer apart than on two hosts.
    zone: where.hostId,
    type: "local",
    encrypted: false,
    fstype: volume.fstype ?? "",
    attached_machine_id: volume.attachedMachineId ?? null,
    attached_alloc_id: null,
    created_at: new Date(volume.createdAtMs).toISOString(),
    auto_backup_enabled: volume.autoBackup,
    snapshot_retention: volume.snapshotRetentionDays,
    host_status: where.status,
    ...(usage === undefined ? {} : usageJson(usage)),
    drover: droverOf(volume, where),
  };
}

/** A volume among those of an organization (schema `OrgVolume`). */
export function orgVolumeJson(volume: Volume, where: Whereabouts): Record<string, unknown> {
  const { drover: _, ...shown } = volumeJson(volume, where);
  return { ...shown, app_name: volume.appName, updated_at: new Date(volume.updatedAtMs).toISOString() };
}

/** A snapshot as the Machines API shows it (schema `VolumeSnapshot`). */
export function snapshotJson(snapshot: Snapshot): Record<string, unknown> {
  return {
    id: snapshot.id,
    status: snapshot.state,
    size: snapshot.sizeBytes ?? 0,
    volume_size: snapshot.volumeSizeGb * BYTES_PER_GB,
    created_at: new Date(snapshot.createdAtMs).toISOString(),
    retention_days: snapshot.retentionDays,
    drover: {
      app: snapshot.appName,
      volume: snapshot.volumeId,
      volume_name: snapshot.volumeName,
      origin: snapshot.origin,
      ...(snapshot.error === undefined ? {} : { error: snapshot.error }),
    },
  };
}

function usageJson({ usedBytes, totalBytes }: Usage) {
  const freeBlocks = Math.max(0, Math.floor((totalBytes - usedBytes) / BLOCK_BYTES));
  return {
    bytes_used: usedBytes,
    bytes_total: totalBytes,
    block_size: BLOCK_BYTES,
    blocks: Math.floor(totalBytes / BLOCK_BYTES),
    blocks_free: freeBlocks,
    blocks_avail: freeBlocks,
  };
}

function droverOf(volume: Volume, { hostId }: Whereabouts): Record<string, unknown> {
  const { extendingToGb, sourceSnapshotId, sourceVolumeId, error } = volume;
  return {
    app: volume.appName,
    host: hostId,
    epoch: volume.epoch,
    ...(extendingToGb === undefined ? {} : { extending_to_gb: extendingToGb }),
    ...(sourceSnapshotId === undefined ? {} : { source_snapshot_id: sourceSnapshotId }),
    ...(sourceVolumeId === undefined ? {} : { source_volume_id: sourceVolumeId }),
    ...(error === undefined ? {} : { error }),
    ...waitingJson(volume),
  };
}
