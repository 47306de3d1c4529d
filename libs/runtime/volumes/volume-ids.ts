import { TerminalError } from "#kernel";

const SAFE_NAME = /^[A-Za-z0-9]\w{0,63}$/;

/** The id of a volume or a snapshot as a folder's name. Throws `TerminalError("invalid")` for what cannot be one. */
export function folderNameOf(id: string): string {
  if (SAFE_NAME.test(id)) return id;
  throw new TerminalError("invalid", `"${id.slice(0, 40)}" cannot name a folder.`);
}

export function volumeNotFound(volumeId: string): TerminalError {
  return new TerminalError("volume_not_found", `The volume ${volumeId} is not on this host.`);
}

export function snapshotNotFound(snapshotId: string): TerminalError {
  return new TerminalError("snapshot_not_found", `The snapshot ${snapshotId} is not on this host.`);
}

/** Throws `TerminalError("disk_full")` unless `bytes` more fit where `freeBytes` are not promised yet (I8). */
export function demandRoom(bytes: number, freeBytes: number, purpose: string): void {
  if (bytes <= freeBytes) return;
  const message = `No room to ${purpose}: it needs ${mib(bytes)}, ${mib(Math.max(0, freeBytes))} are not promised.`;
  throw new TerminalError("disk_full", `${message} Destroy volumes or snapshots on this host.`);
}

/** Throws `TerminalError("invalid")` when a volume would be smaller than the snapshot or volume that it begins with. */
export function demandSize(sizeBytes: number, heldBytes: number, sourceId: string): void {
  if (sizeBytes >= heldBytes) return;
  const message = `${sourceId} holds ${mib(heldBytes)}: a volume that begins with it must not be smaller.`;
  throw new TerminalError("invalid", message);
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
