import type { MachineConfig, MachineExit, QueuedIntent, Resources } from "#contracts";
import type { OperationRun, StepError } from "#kernel";

/** The states of a machine: names and meaning as in the Fly Machines API (features §1). */
export const MACHINE_STATES = [
  "created",
  "started",
  "stopped",
  "suspended",
  "failed",
  "creating",
  "starting",
  "stopping",
  "restarting",
  "suspending",
  "destroying",
  "updating",
  "replacing",
  "launch_failed",
  "destroyed",
  "replaced",
  "migrated",
] as const;

export type MachineStateName = (typeof MACHINE_STATES)[number];

/** One machine as the fold of its events. Plain JSON, never changed in place. */
export interface Machine {
  readonly id: string;
  readonly appName: string;
  readonly name: string;
  readonly region: string;
  /** Ownership epoch from CONTROL: commands and events of another epoch are fenced (F30). */
  readonly epoch: number;
  readonly state: MachineStateName;
  /** ULID of this version of the config. */
  readonly instanceId: string;
  readonly config: MachineConfig;
  readonly resources: Resources;
  readonly ipv4: string;
  readonly privateIp: string;
  readonly imageDigest?: string;
  /** Created without being started. */
  readonly skipLaunch: boolean;
  readonly everStarted: boolean;
  /** Whether its resources count against the host right now (I8). */
  readonly holdsResources: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** A transient state is an operation in progress: this one. */
  readonly operation?: OperationRun;
  /** Id of the start whose process runs or ran last: the identity that the runtime is asked for (F21). */
  readonly startId?: string;
  readonly startedAtMs?: number;
  /** The fresh root filesystem that waits for the next start. */
  readonly rootfsKey?: string;
  readonly queued?: QueuedIntent;
  readonly lastExit?: MachineExit;
  /** Epoch milliseconds of automatic restarts within the policy's window. */
  readonly restartsAtMs: readonly number[];
  /** Why it failed, while it is in `failed` or `launch_failed`. */
  readonly error?: StepError;
  /** Commands already decided, newest last: a repeated delivery changes nothing. */
  readonly decidedCommands: readonly string[];
  /** What an update that fails goes back to. */
  readonly beforeUpdate?: Pick<
    Machine,
    "config" | "instanceId" | "resources" | "imageDigest" | "state" | "skipLaunch"
  >;
}

/** States in which an operation is in progress. */
export function isTransient(state: MachineStateName): boolean {
  return TRANSIENT.has(state);
}

/** States that nothing leads out of. */
export function isTerminal(state: MachineStateName): boolean {
  return state === "destroyed" || state === "replaced" || state === "migrated";
}

const TRANSIENT: ReadonlySet<MachineStateName> = new Set<MachineStateName>([
  "creating",
  "starting",
  "stopping",
  "restarting",
  "suspending",
  "destroying",
  "updating",
  "replacing",
]);
