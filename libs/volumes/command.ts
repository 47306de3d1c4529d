import type { StepOutcome } from "#kernel";

/** Inputs of every decision, handed in as data. */
interface Issued {
  /** ULID; also the id of the operation that the command begins. */
  readonly commandId: string;
  /** Wall time of the decision, epoch milliseconds. */
  readonly atMs: number;
  /** Who asked: "user", "daily", "retention"… */
  readonly origin: string;
}

/** Makes a volume: the commit of a reservation. */
export interface CreateVolume extends Issued {
  readonly volumeId: string;
  readonly appName: string;
  readonly name: string;
  readonly region: string;
  readonly epoch: number;
  readonly sizeGb: number;
  readonly autoBackup: boolean;
  readonly snapshotRetentionDays: number;
  readonly sourceSnapshotId?: string;
  readonly sourceVolumeId?: string;
}

/** Keeps what a volume holds. `reservedMib`: what that may be at the most, as measured just now. */
export interface TakeSnapshot extends Issued {
  readonly snapshotId: string;
  readonly reservedMib: number;
}

/** An attempt of the operation's current step ended. With `attemptKey`, that very attempt: a repeat changes nothing. */
export interface RecordVolumeStep extends Issued {
  readonly type: "RecordStep";
  readonly operationId: string;
  readonly outcome: StepOutcome;
  readonly attemptKey?: string;
}

/** The commands that one volume answers to, once it exists. */
export type VolumeCommand =
  | (Issued & { readonly type: "ExtendVolume"; readonly sizeGb: number })
  | (Issued & {
      readonly type: "UpdateVolume";
      readonly autoBackup?: boolean | undefined;
      readonly snapshotRetentionDays?: number | undefined;
    })
  | (Issued & { readonly type: "DestroyVolume" })
  | RecordVolumeStep;

/** The commands that one snapshot answers to, once it exists. */
export type SnapshotCommand = (Issued & { readonly type: "DestroySnapshot" }) | RecordVolumeStep;
