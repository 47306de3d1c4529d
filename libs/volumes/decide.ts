import type { VolumeEvent } from "#contracts";
import {
  accepted,
  assertNever,
  type Decision,
  type OperationRun,
  outputOf,
  refusal,
  refused,
  UNCHANGED,
} from "#kernel";
import type { CreateVolume, RecordVolumeStep, VolumeCommand } from "./command.ts";
import { decideStep } from "./decide-step.ts";
import {
  type Occasion,
  planCreate,
  planDestroy,
  planExtend,
  planFork,
  planRestore,
  type VolumeOperationKind,
} from "./plan.ts";
import { busy, wrongState } from "./refuse.ts";
import { isGone, type Volume } from "./state.ts";

type VolumeDecision = Decision<VolumeEvent>;
type CommandOf<T extends VolumeCommand["type"]> = Extract<VolumeCommand, { type: T }>;

/** The birth of a volume. That it fits is for the host to decide. */
export function decideCreateVolume(command: CreateVolume): VolumeDecision {
  const { commandId, atMs, origin: _, ...described } = command;
  const operation = planBirth({ id: commandId, atMs }, described);
  return accepted({ type: "VolumeCreating", data: { ...described, operation, createdAtMs: atMs } });
}

function planBirth(
  occasion: Occasion,
  {
    sizeGb,
    sourceSnapshotId,
    sourceVolumeId,
  }: Pick<CreateVolume, "sizeGb" | "sourceSnapshotId" | "sourceVolumeId">,
) {
  if (sourceSnapshotId !== undefined) return planRestore(occasion, sizeGb, sourceSnapshotId);
  return sourceVolumeId === undefined
    ? planCreate(occasion, sizeGb)
    : planFork(occasion, sizeGb, sourceVolumeId);
}

/** Decides what a command means for a volume in its present state. Pure. */
export function decideVolume(command: VolumeCommand, volume: Volume): VolumeDecision {
  if (volume.decidedCommands.includes(command.commandId)) return UNCHANGED;
  switch (command.type) {
    case "ExtendVolume":
      return decideExtend(command, volume);
    case "UpdateVolume":
      return decideUpdate(command, volume);
    case "DestroyVolume":
      return decideDestroy(command, volume);
    case "RecordStep":
      return decideVolumeStep(command, volume);
    default:
      return assertNever(command);
  }
}

/** Volumes only grow: nobody knows what would be lost otherwise. */
function decideExtend(command: CommandOf<"ExtendVolume">, volume: Volume): VolumeDecision {
  const { sizeGb } = command;
  if (isOnItsWayOut(volume)) return wrongState("extend", volume);
  if (volume.extendingToGb === sizeGb) return UNCHANGED;
  if (volume.operation !== undefined) return busy("extend", volume);
  if (sizeGb === volume.sizeGb) return UNCHANGED;
  if (sizeGb < volume.sizeGb) {
    const message = `volume ${volume.id} has ${volume.sizeGb} GB and does not shrink: ask for more`;
    return refused(refusal("invalid", message, { details: { sizeGb: volume.sizeGb } }));
  }
  const operation = planExtend({ id: command.commandId, atMs: command.atMs }, sizeGb);
  return accepted({ type: "VolumeExtending", data: { volumeId: volume.id, operation, sizeGb } });
}

function decideUpdate(command: CommandOf<"UpdateVolume">, volume: Volume): VolumeDecision {
  if (isOnItsWayOut(volume)) return wrongState("update", volume);
  const { commandId } = command;
  const { autoBackup = volume.autoBackup, snapshotRetentionDays = volume.snapshotRetentionDays } = command;
  const isSame = autoBackup === volume.autoBackup && snapshotRetentionDays === volume.snapshotRetentionDays;
  if (isSame) return UNCHANGED;
  const data = { volumeId: volume.id, commandId, autoBackup, snapshotRetentionDays };
  return accepted({ type: "VolumeUpdated", data });
}

/** A writer never loses its volume: its machine has to be gone first. */
function decideDestroy(command: CommandOf<"DestroyVolume">, volume: Volume): VolumeDecision {
  const { id: volumeId, attachedMachineId } = volume;
  if (isOnItsWayOut(volume)) return UNCHANGED;
  if (attachedMachineId !== undefined) {
    const message = `volume ${volumeId} is attached to machine ${attachedMachineId}: destroy that first`;
    return refused(refusal("volume_in_use", message, { details: { machineId: attachedMachineId } }));
  }
  if (volume.operation !== undefined) return busy("destroy", volume);
  const operation = planDestroy({ id: command.commandId, atMs: command.atMs });
  return accepted({ type: "VolumeDestroying", data: { volumeId, operation, origin: command.origin } });
}

function isOnItsWayOut(volume: Volume): boolean {
  return volume.state === "pending_destroy" || isGone(volume);
}

function decideVolumeStep(command: RecordVolumeStep, volume: Volume): VolumeDecision {
  const { id: volumeId, operation: run, state } = volume;
  const ends = { volumeId, operationId: command.operationId };
  return decideStep(command, {
    about: { volumeId },
    run,
    finished: (done) => finished(done, volumeId),
    givenUp: (error, next) => {
      switch (state) {
        case "creating":
        case "restoring":
          return { type: "VolumeCreateFailed", data: { ...ends, error, operation: planDestroy(next) } };
        case "extending":
          return { type: "VolumeExtendFailed", data: { ...ends, error } };
        default:
          return undefined;
      }
    },
  });
}

function finished(run: OperationRun, volumeId: string): VolumeEvent {
  const ends = { volumeId, operationId: run.id };
  const kind = run.kind as Exclude<VolumeOperationKind, "create-snapshot" | "destroy-snapshot">;
  switch (kind) {
    case "create-volume":
      return { type: "VolumeCreated", data: { ...ends, fstype: fstypeOf(run, "make-volume") } };
    case "restore-volume":
      return { type: "VolumeCreated", data: { ...ends, fstype: fstypeOf(run, "restore-volume") } };
    case "fork-volume":
      return { type: "VolumeCreated", data: { ...ends, fstype: fstypeOf(run, "fork-volume") } };
    case "extend-volume":
      return { type: "VolumeExtended", data: ends };
    case "destroy-volume":
      return { type: "VolumeDestroyed", data: ends };
    default:
      return assertNever(kind);
  }
}

function fstypeOf(run: OperationRun, step: string): string {
  return String(outputOf(run, step)?.fstype);
}
