import type { Ids } from "#kernel";

/** A volume's id as Fly's clients expect it. Never used twice. */
export function newVolumeId(ids: Ids): string {
  return `vol_${ids.randomHex(8)}`;
}

export function newSnapshotId(ids: Ids): string {
  return `vs_${ids.randomHex(8)}`;
}
