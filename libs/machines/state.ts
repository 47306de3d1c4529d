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
  /** Created, or updated last, without being started. */
  readonly skipLaunch: boolean;
  /** Routers send it no requests. */
  readonly isCordoned?: boolean;
  readonly everStarted: boolean;
  /** Whether its resources count against the host (I8): `heldResources` says how much that is. */
  readonly holdsResources: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** A transient state is an operation in progress: this one. */
  readonly operation?: OperationRun;
  /** Id of the start whose process runs, or may still run: the identity that the runtime is asked for (F21). */
  readonly startId?: string;
  readonly startedAtMs?: number;
  /** The fresh root filesystem that waits for the next start. */
  readonly rootfsKey?: string;
  readonly queued?: QueuedIntent;
  readonly lastExit?: MachineExit;
  /** Epoch milliseconds of automatic restarts within the policy's window. */
  readonly restartsAtMs: readonly number[];
  /** Why it failed: the last operation that did. */
  readonly error?: StepError;
  /** Callers' commands already decided, newest last: a repeated delivery changes nothing. */
  readonly decidedCommands: readonly string[];
  /** What an update that fails goes back to. */
  readonly beforeUpdate?: BeforeUpdate;
}

export type BeforeUpdate = Pick<
  Machine,
  "config" | "instanceId" | "resources" | "imageDigest" | "state" | "skipLaunch" | "holdsResources"
>;

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

const NOTHING: Resources = { cpuMillis: 0, memoryMib: 0 };

/**
 * What the machine takes from its host right now (I8). While it is updated it may end up with the new config or go back
 * to the old one, so that the larger of both counts.
 */
export function heldResources(machine: Machine): Resources {
  const before = machine.beforeUpdate;
  if (before === undefined) return machine.holdsResources ? machine.resources : NOTHING;
  const back = before.holdsResources ? before.resources : NOTHING;
  const ahead = machine.skipLaunch ? NOTHING : machine.resources;
  return {
    cpuMillis: Math.max(back.cpuMillis, ahead.cpuMillis),
    memoryMib: Math.max(back.memoryMib, ahead.memoryMib),
  };
}
