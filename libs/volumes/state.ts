import { volumeMibOf } from "#contracts";
import type { OperationRun, StepError } from "#kernel";

/** The states of a volume: names as in the Fly Machines API. `creating` is empty, `restoring` begins with what another held. */
export const VOLUME_STATES = [
  "creating",
  "restoring",
  "created",
  "extending",
  "pending_destroy",
  "destroyed",
] as const;

export type VolumeStateName = (typeof VOLUME_STATES)[number];

/** One volume as the fold of its host's log. Plain JSON, never changed in place. */
export interface Volume {
  readonly id: string;
  readonly appName: string;
  readonly name: string;
  readonly region: string;
  /** Ownership epoch from CONTROL: a commit of another one is fenced. */
  readonly epoch: number;
  readonly state: VolumeStateName;
  readonly sizeGb: number;
  /** While it is extended. */
  readonly extendingToGb?: number;
  /** What its host keeps it on; not known before it is made. */
  readonly fstype?: string;
  /** Whether a snapshot is taken each day. */
  readonly autoBackup: boolean;
  readonly snapshotRetentionDays: number;
  readonly sourceSnapshotId?: string;
  readonly sourceVolumeId?: string;
  /** The one machine that may write it (I6). It follows from the machines' events. */
  readonly attachedMachineId?: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** A transient state is an operation in progress: this one. */
  readonly operation?: OperationRun;
  /** Why the last operation failed. */
  readonly error?: StepError;
  /** Callers' commands already decided, newest last: a repeated delivery changes nothing. */
  readonly decidedCommands: readonly string[];
}

export type SnapshotStateName = "creating" | "created" | "destroying" | "destroyed";

/** What a volume held at one moment. It outlives its volume. */
export interface Snapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly appName: string;
  /** The volume's name and size when it was taken: what is restored from it is no smaller. */
  readonly volumeName: string;
  readonly volumeSizeGb: number;
  readonly state: SnapshotStateName;
  /** What had it taken: "user", "daily". */
  readonly origin: string;
  /** Once it is made. */
  readonly sizeBytes?: number;
  /** The room that it takes: a guess on the safe side until its size is known. */
  readonly heldMib: number;
  readonly retentionDays: number;
  readonly createdAtMs: number;
  readonly operation?: OperationRun;
  readonly error?: StepError;
}

/** Whether nothing is left of it but the memory. */
export function isGone({ state }: Volume | Snapshot): boolean {
  return state === "destroyed";
}

/** How large it is by what was promised: one that grows has its new size already. */
export function promisedGbOf({ sizeGb, extendingToGb = sizeGb }: Volume): number {
  return extendingToGb;
}

/** The room that a volume takes (I8). One that goes has it until it is gone. */
export function heldMibOf(volume: Volume): number {
  return isGone(volume) ? 0 : volumeMibOf(promisedGbOf(volume));
}
