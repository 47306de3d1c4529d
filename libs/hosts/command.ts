import type { MachineConfig, PublishedPort, Resources } from "#contracts";
import type { RefusalCode } from "#kernel";
import type { MachineCommand } from "#machines";

/** Inputs of every decision: the command's id and the wall time, handed in as data. */
interface Issued {
  readonly commandId: string;
  readonly atMs: number;
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
    | {
        readonly type: "ReserveMachine";
        readonly reservationId: string;
        readonly machineId: string;
        readonly appName: string;
        readonly epoch: number;
        readonly resources: Resources;
        readonly ports: readonly PublishedPort[];
        readonly features?: readonly string[] | undefined;
        /** No other machine of its app may be here. */
        readonly isAlone?: boolean | undefined;
        readonly ttlMs: number;
      }
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
        readonly origin: string;
      }
    /** The host agent saw a reason of its own against a commit: it counts like one that the decider found. */
    | {
        readonly type: "RefuseCommit";
        readonly reservationId: string;
        readonly machineId: string;
        readonly epoch: number;
        readonly code: RefusalCode;
        readonly message: string;
      }
    | { readonly type: "Machine"; readonly machineId: string; readonly command: MachineCommand }
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
        readonly code: string;
        readonly message: string;
        readonly count: number;
      }
  );

export type HostCommandOf<T extends HostCommand["type"]> = Extract<HostCommand, { type: T }>;
