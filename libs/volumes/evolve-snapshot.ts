import type { VolumeEvent } from "#contracts";
import { assertNever, openRun } from "#kernel";
import { runAfter, type SnapshotEvent } from "./evolve.ts";
import type { Snapshot, SnapshotStateName, Volume } from "./state.ts";

const MIB = 1024 * 1024;

/** The snapshot that `SnapshotCreating` brings into being. */
export function snapshotFrom(
  data: Extract<VolumeEvent, { type: "SnapshotCreating" }>["data"],
  { appName, name: volumeName, sizeGb: volumeSizeGb }: Volume,
): Snapshot {
  const { snapshotId: id, operation, reservedMib: heldMib, ...described } = data;
  const volume = { appName, volumeName, volumeSizeGb };
  return { id, ...described, ...volume, heldMib, state: "creating", operation: openRun(operation) };
}

/** The snapshot after one of its events. `atMs` is the wall-clock part of the event's clock. */
export function evolveSnapshot(snapshot: Snapshot, event: SnapshotEvent, atMs: number): Snapshot {
  switch (event.type) {
    case "SnapshotCreating":
    case "VolumeCommandRefused":
      return snapshot;
    case "SnapshotCreated": {
      const { sizeBytes } = event.data;
      return { ...settle(snapshot, "created"), sizeBytes, heldMib: Math.max(1, Math.ceil(sizeBytes / MIB)) };
    }
    case "SnapshotCreateFailed": {
      const { error, operation } = event.data;
      return { ...snapshot, state: "destroying", operation: openRun(operation), error };
    }
    case "SnapshotDestroying":
      return { ...snapshot, state: "destroying", operation: openRun(event.data.operation) };
    case "SnapshotDestroyed":
      return { ...settle(snapshot, "destroyed"), heldMib: 0 };
    case "VolumeStepCompleted":
    case "VolumeStepFailed":
      return { ...snapshot, ...runAfter(snapshot.operation, event, atMs) };
    default:
      return assertNever(event);
  }
}

function settle(snapshot: Snapshot, state: SnapshotStateName): Snapshot {
  const { operation: _, ...rest } = snapshot;
  return { ...rest, state };
}
