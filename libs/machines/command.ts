import type { MachineConfig, MachineExit, Resources } from "#contracts";
import type { StepOutcome } from "#kernel";

/** What every command carries: the inputs of its decision, handed in as data. */
interface Issued {
  /** ULID; also the id of the operation that the command begins, so a repeated delivery is recognised. */
  readonly commandId: string;
  /** Wall time of the decision, epoch milliseconds. */
  readonly atMs: number;
  /** Who asked, for the event's `origin`: "user", "autostop", "restart-policy"… */
  readonly origin: string;
  /** What the command belongs to, where that is not the command itself: the request that wakes a machine. */
  readonly correlationId?: string;
}

/** The commands that one machine answers to, once it exists. */
export type MachineCommand = Issued &
  (
    | { readonly type: "StartMachine" }
    | { readonly type: "StopMachine"; readonly signal?: string; readonly timeoutMs?: number }
    | { readonly type: "RestartMachine"; readonly signal?: string; readonly timeoutMs?: number }
    | { readonly type: "SuspendMachine" }
    /** Whether routers may send it requests. Nothing else about it changes. */
    | { readonly type: "CordonMachine" | "UncordonMachine" }
    | {
        readonly type: "UpdateMachine";
        readonly config: MachineConfig;
        readonly instanceId: string;
        /** Refused with `version_mismatch` unless this is the machine's instance id. */
        readonly currentVersion?: string;
        readonly skipLaunch: boolean;
      }
    /** Without `force`, a machine that runs is not destroyed. */
    | { readonly type: "DestroyMachine"; readonly force: boolean }
    /** The process of start `startId` ended by itself. */
    | { readonly type: "RecordExit"; readonly startId: string; readonly exit: MachineExit }
    /** An attempt of the operation's current step ended. With `attemptKey`, that very attempt: a repeat changes nothing. */
    | {
        readonly type: "RecordStep";
        readonly operationId: string;
        readonly outcome: StepOutcome;
        readonly attemptKey?: string;
      }
    /** What was queued is refused now. */
    | { readonly type: "DropIntent"; readonly code: string; readonly message: string }
  );

/** Makes a machine: the commit of a reservation. */
export interface CreateMachine extends Issued {
  readonly type: "CreateMachine";
  readonly machineId: string;
  readonly appName: string;
  readonly name: string;
  readonly region: string;
  readonly epoch: number;
  readonly instanceId: string;
  readonly config: MachineConfig;
  readonly resources: Resources;
  readonly ipv4: string;
  readonly privateIp: string;
  readonly skipLaunch: boolean;
  readonly isCordoned?: boolean;
}

/** The commands that a caller may send; the others are the host agent's own. */
export type UserMachineCommand = Exclude<
  MachineCommand,
  { readonly type: "RecordExit" | "RecordStep" | "DropIntent" }
>;
