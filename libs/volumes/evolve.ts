import type { VolumeEvent } from "#contracts";
import { assertNever, type OperationRun, openRun, type StepError, withFailure, withOutput } from "#kernel";
import type { Volume, VolumeStateName } from "./state.ts";

type DataOf<T extends VolumeEvent["type"]> = Extract<VolumeEvent, { type: T }>["data"];

/** Events of a step or a refusal are of a volume, or of a snapshot of it. */
type Shared = "VolumeStepCompleted" | "VolumeStepFailed" | "VolumeCommandRefused";
export type SnapshotEvent = Extract<VolumeEvent, { type: `Snapshot${string}` | Shared }>;
export type OwnVolumeEvent = Exclude<VolumeEvent, { type: `Snapshot${string}` }>;

/** Whether an event is about a snapshot, not about its volume. */
export function isSnapshotEvent(event: VolumeEvent): event is SnapshotEvent {
  return "snapshotId" in event.data && event.data.snapshotId !== undefined;
}

/** The volume that `VolumeCreating` brings into being. */
export function volumeFrom(data: DataOf<"VolumeCreating">): Volume {
  const { volumeId: id, operation, ...described } = data;
  return {
    id,
    ...described,
    state: (data.sourceSnapshotId ?? data.sourceVolumeId) === undefined ? "creating" : "restoring",
    updatedAtMs: data.createdAtMs,
    operation: openRun(operation),
    decidedCommands: [operation.id],
  };
}

/** The volume after one of its events. `atMs` is the wall-clock part of the event's clock. */
export function evolveVolume(volume: Volume, event: OwnVolumeEvent, atMs: number): Volume {
  const next = { ...volume, updatedAtMs: atMs };
  switch (event.type) {
    case "VolumeCreating":
    case "VolumeCommandRefused":
      return volume;
    case "VolumeCreated":
      return { ...settle(next, "created"), fstype: event.data.fstype };
    case "VolumeCreateFailed": {
      const { error, operation } = event.data;
      return { ...next, state: "pending_destroy", operation: openRun(operation), error };
    }
    case "VolumeExtending": {
      const { operation, sizeGb } = event.data;
      return { ...begin(next, "extending", operation), extendingToGb: sizeGb };
    }
    case "VolumeExtended":
      return extended(next, volume.extendingToGb ?? volume.sizeGb);
    case "VolumeExtendFailed":
      return { ...extended(next, volume.sizeGb), error: event.data.error };
    case "VolumeUpdated": {
      const { autoBackup, snapshotRetentionDays, commandId } = event.data;
      return remember({ ...next, autoBackup, snapshotRetentionDays }, commandId);
    }
    case "VolumeDestroying":
      return begin(next, "pending_destroy", event.data.operation);
    case "VolumeDestroyed":
      return { ...settle(next, "destroyed"), ...(volume.error && { error: volume.error }) };
    case "VolumeStepCompleted":
    case "VolumeStepFailed":
      return { ...next, ...runAfter(volume.operation, event, atMs) };
    default:
      return assertNever(event);
  }
}

/** The run after an attempt of its current step, as a change of whoever has it. */
export function runAfter(
  run: OperationRun | undefined,
  event: Extract<VolumeEvent, { type: "VolumeStepCompleted" | "VolumeStepFailed" }>,
  atMs: number,
): { readonly operation?: OperationRun } {
  if (run === undefined || run.id !== event.data.operationId) return {};
  if (event.type === "VolumeStepCompleted") return { operation: withOutput(run, event.data.output, atMs) };
  return { operation: withFailure(run, event.data.error, atMs, event.data.retryAfterMs) };
}

const REMEMBERED_COMMANDS = 16;

function remember(volume: Volume, commandId: string): Volume {
  return {
    ...volume,
    decidedCommands: [...volume.decidedCommands, commandId].slice(-REMEMBERED_COMMANDS),
  };
}

function begin(
  volume: Volume,
  state: VolumeStateName,
  start: DataOf<"VolumeDestroying">["operation"],
): Volume {
  return remember({ ...withoutError(volume), state, operation: openRun(start) }, start.id);
}

function settle(volume: Volume, state: VolumeStateName): Volume {
  const { operation: _, ...rest } = withoutError(volume);
  return { ...rest, state };
}

function extended(volume: Volume, sizeGb: number): Volume {
  const { extendingToGb: _, ...rest } = settle(volume, "created");
  return { ...rest, sizeGb };
}

function withoutError(volume: Volume): Volume & { readonly error?: StepError } {
  const { error: _, ...rest } = volume;
  return rest;
}
