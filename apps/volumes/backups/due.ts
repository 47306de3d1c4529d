import { createHash } from "node:crypto";
import type { Snapshot, Volume } from "#volumes";

export const DAY_MS = 86_400_000;
/** A day's snapshot that could not be made is tried anew, so many times in all. */
const TRIES_A_DAY = 3;

/** What a volume is owed by now: a snapshot of its day, or the end of one that was kept for long enough. */
export interface Due {
  readonly command: "TakeSnapshot" | "DestroySnapshot";
  readonly volumeId: string;
  readonly snapshotId: string;
  readonly origin: "daily" | "retention";
}

/**
 * What is due of a volume's snapshots at this moment. It follows from what there is and from the time, and the ids follow from
 * volume and day: whoever asks twice, or in two places, asks for the same.
 */
export function dailyDue(volume: Volume, own: readonly Snapshot[], nowMs: number): Due | undefined {
  const { id: volumeId, state, autoBackup, createdAtMs } = volume;
  if (!autoBackup || (state !== "created" && state !== "extending")) return undefined;
  const day = dayOf(volumeId, nowMs);
  if (day <= dayOf(volumeId, createdAtMs)) return undefined;
  for (let attempt = 0; attempt < TRIES_A_DAY; attempt += 1) {
    const snapshotId = dailySnapshotId(volumeId, day, attempt);
    const standing = own.find(({ id }) => id === snapshotId);
    if (standing === undefined) return { command: "TakeSnapshot", volumeId, snapshotId, origin: "daily" };
    if (standing.error === undefined) return undefined;
  }
  return undefined;
}

/** Snapshots outlive their volume, and not their time. */
export function expiryDue(
  { id: snapshotId, volumeId, state, createdAtMs, retentionDays }: Snapshot,
  nowMs: number,
): Due | undefined {
  if (state !== "created" || nowMs < createdAtMs + retentionDays * DAY_MS) return undefined;
  return { command: "DestroySnapshot", volumeId, snapshotId, origin: "retention" };
}

/** Each volume's days begin at a time of its own, or all would be read at once. */
function dayOf(volumeId: string, atMs: number): number {
  return Math.floor((atMs - (Number.parseInt(hashOf(volumeId).slice(0, 8), 16) % DAY_MS)) / DAY_MS);
}

function dailySnapshotId(volumeId: string, day: number, attempt: number): string {
  return `vs_${hashOf(`${volumeId} ${day} ${attempt}`).slice(0, 16)}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
