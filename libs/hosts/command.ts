import type { MachineConfig, Resources } from "#contracts";
import type { RefusalCode } from "#kernel";
import type { MachineCommand } from "#machines";
import type { SnapshotCommand, VolumeCommand } from "#volumes";
import type { MachineWish, VolumeWish } from "./admission.ts";

/** Inputs of every decision: the command's id and the wall time, handed in as data. */
interface Issued {
  readonly commandId: string;
  readonly atMs: number;
}

interface Offer {
  readonly reservationId: string;
  readonly epoch: number;
  readonly ttlMs: number;
}

/** Everything that may change a host's log. */
export type HostCommand = Issued &
  (
    | {
        readonly type: "OpenLog";
        readonly hostId: string;
        readonly logId: string;
        readonly region: string;
        readonly clusterId: string;
        readonly subnet: string;
        readonly previous?: {
          readonly logId: string;
          readonly sequence: number;
          readonly reason: string;
          readonly state: unknown;
        };
      }
    | { readonly type: "ClaimEpoch"; readonly agentVersion: string; readonly bootId: string }
    | {
        readonly type: "MeasureCapacity";
        readonly capacity: Resources;
        readonly maxMachines: number;
        readonly features: readonly string[];
      }
    /** An offer of the scheduler. `reservationId` is the create's command id: a repeated offer finds its reservation. */
    | (Offer & MachineWish & { readonly type: "ReserveMachine" })
    | (Offer & VolumeWish & { readonly type: "ReserveVolume" })
    | {
        readonly type: "EndReservation";
        readonly reservationId: string;
        readonly reason: "expired" | "released";
      }
    /** Second half of a placement: idempotent, and right even after the reservation expired, as long as there is room. */
    | {
        readonly type: "CommitMachine";
        readonly reservationId: string;
        readonly machineId: string;
        readonly epoch: number;
        readonly appName: string;
        readonly name: string;
        readonly instanceId: string;
        readonly config: MachineConfig;
        readonly skipLaunch: boolean;
        readonly isCordoned?: boolean;
        readonly origin: string;
      }
    | {
        readonly type: "CommitVolume";
        readonly reservationId: string;
        readonly volumeId: string;
        readonly epoch: number;
        readonly appName: string;
        readonly name: string;
        readonly sizeGb: number;
        readonly autoBackup: boolean;
        readonly snapshotRetentionDays: number;
        readonly snapshotId?: string | undefined;
        readonly forkOf?: string | undefined;
        readonly features?: readonly string[] | undefined;
        readonly origin: string;
      }
    /** The host agent saw a reason of its own against a commit: it counts like one that the decider found. */
    | {
        readonly type: "RefuseCommit";
        readonly reservationId: string;
        readonly machineId?: string;
        readonly volumeId?: string;
        readonly epoch: number;
        readonly code: RefusalCode;
        readonly message: string;
      }
    | { readonly type: "Machine"; readonly machineId: string; readonly command: MachineCommand }
    | { readonly type: "Volume"; readonly volumeId: string; readonly command: VolumeCommand }
    /** `reservedMib`: what the volume holds at this moment, at the most. */
    | {
        readonly type: "TakeSnapshot";
        readonly volumeId: string;
        readonly snapshotId: string;
        readonly reservedMib: number;
        readonly origin: string;
      }
    | {
        readonly type: "Snapshot";
        readonly volumeId: string;
        readonly snapshotId: string;
        readonly command: SnapshotCommand;
      }
    | {
        readonly type: "Cordon";
        readonly owner: string;
        readonly reason: string;
        readonly expiresAtMs: number;
      }
    | { readonly type: "Uncordon"; readonly owner: string; readonly reason: string }
    /** The host's own, at a cordon's end. */
    | { readonly type: "ExpireCordon" }
    | { readonly type: "ReportUnknownContainer"; readonly containerId: string; readonly reason: string }
    | { readonly type: "RaiseAlarm"; readonly alarm: string; readonly message: string }
    | {
        readonly type: "RecordRefusal";
        readonly refused: string;
        readonly machineId?: string;
        readonly volumeId?: string;
        readonly snapshotId?: string;
        readonly code: string;
        readonly message: string;
        readonly count: number;
      }
  );

export type HostCommandOf<T extends HostCommand["type"]> = Extract<HostCommand, { type: T }>;
