import type { VolumeEvent } from "#contracts";
import { accepted, assertNever, type Decision, type OperationRun, outputOf, UNCHANGED } from "#kernel";
import type { RecordVolumeStep, SnapshotCommand, TakeSnapshot } from "./command.ts";
import { decideStep } from "./decide-step.ts";
import { planDestroySnapshot, planSnapshot } from "./plan.ts";
import { busy, wrongState } from "./refuse.ts";
import { isGone, type Snapshot, type Volume } from "./state.ts";

type SnapshotDecision = Decision<VolumeEvent>;

/** Keeps what a volume holds. One that grows may be kept as well. That there is room is for the host to decide. */
export function decideTakeSnapshot(command: TakeSnapshot, volume: Volume): SnapshotDecision {
  if (volume.state === "creating" || volume.state === "restoring") return busy("a snapshot", volume);
  if (volume.state !== "created" && volume.state !== "extending") return wrongState("a snapshot", volume);
  const { commandId, atMs, ...described } = command;
  const operation = planSnapshot({ id: commandId, atMs }, volume.id);
  const data = { volumeId: volume.id, ...described, operation, createdAtMs: atMs };
  return accepted({
    type: "SnapshotCreating",
    data: { ...data, retentionDays: volume.snapshotRetentionDays },
  });
}

/** Decides what a command means for a snapshot in its present state. Pure. */
export function decideSnapshot(command: SnapshotCommand, snapshot: Snapshot): SnapshotDecision {
  switch (command.type) {
    case "DestroySnapshot": {
      const { id: snapshotId, volumeId } = snapshot;
      if (snapshot.state === "destroying" || isGone(snapshot)) return UNCHANGED;
      if (snapshot.state === "creating") return busy("destroy", snapshot);
      const { commandId, atMs, origin } = command;
      const operation = planDestroySnapshot({ id: commandId, atMs });
      return accepted({ type: "SnapshotDestroying", data: { volumeId, snapshotId, operation, origin } });
    }
    case "RecordStep":
      return decideSnapshotStep(command, snapshot);
    default:
      return assertNever(command);
  }
}

function decideSnapshotStep(command: RecordVolumeStep, snapshot: Snapshot): SnapshotDecision {
  const { id: snapshotId, volumeId, operation: run, state } = snapshot;
  const about = { volumeId, snapshotId };
  const ends = { ...about, operationId: command.operationId };
  return decideStep(command, {
    about,
    run,
    finished: (done) =>
      state === "creating"
        ? { type: "SnapshotCreated", data: { ...ends, sizeBytes: sizeOf(done) } }
        : { type: "SnapshotDestroyed", data: ends },
    givenUp: (error, next) =>
      state === "creating"
        ? { type: "SnapshotCreateFailed", data: { ...ends, error, operation: planDestroySnapshot(next) } }
        : undefined,
  });
}

function sizeOf(run: OperationRun): number {
  return Number(outputOf(run, "make-snapshot")?.sizeBytes);
}
