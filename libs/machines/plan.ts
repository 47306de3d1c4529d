import { durationMs, type MachineConfig, type OperationStart } from "#contracts";
import type { StepSpec } from "#kernel";
import type { Machine } from "./state.ts";

/**
 * The step lists of all operations on a machine. They are copied into the event that begins an operation; changing
 * one here never changes a run that has begun. The host agent has one effect per step name.
 */
export type MachineStep =
  | "pull-image"
  | "prepare-network"
  | "prepare-rootfs"
  | "launch"
  | "send-signal"
  | "await-exit"
  | "suspend"
  | "remove-container"
  | "remove-network"
  | "remove-rootfs"
  | "remove-logs";

export type MachineOperationKind =
  | "create"
  | "start"
  | "stop"
  | "restart"
  | "suspend"
  | "update"
  | "recover"
  | "destroy";

/** Attempts of a step that has to succeed some day: its operation waits, and says so (I9), rather than give up. */
const UNTIL_DONE = 1_000_000;
const DEFAULT_STOP_TIMEOUT_MS = 5_000;
/** What waiting for an exit may take beyond the stop timeout: the kill and the monitor's last words. */
const KILL_GRACE_MS = 15_000;

type Timing = Omit<StepSpec, "name" | "input">;
const timings: Readonly<Record<MachineStep, Timing>> = {
  "pull-image": { timeoutMs: 300_000, maxAttempts: 3, backoffMs: 1_000 },
  "prepare-network": { timeoutMs: 15_000, maxAttempts: 5, backoffMs: 200 },
  "prepare-rootfs": { timeoutMs: 30_000, maxAttempts: 5, backoffMs: 200 },
  launch: { timeoutMs: 30_000, maxAttempts: 3, backoffMs: 500 },
  "send-signal": { timeoutMs: 10_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
  "await-exit": { timeoutMs: 315_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
  suspend: { timeoutMs: 60_000, maxAttempts: 3, backoffMs: 500 },
  "remove-container": { timeoutMs: 30_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
  "remove-network": { timeoutMs: 15_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
  "remove-rootfs": { timeoutMs: 30_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
  "remove-logs": { timeoutMs: 15_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
};

function step(name: MachineStep, input?: unknown, timing?: Partial<Timing>): StepSpec {
  return { name, ...(input === undefined ? {} : { input }), ...timings[name], ...timing };
}

function started(
  id: string,
  kind: MachineOperationKind,
  startedAtMs: number,
  steps: StepSpec[],
): OperationStart {
  return { id, kind, steps, startedAtMs };
}

/** Fetches the image and makes everything ready, so that the start has nothing left to do but launch. */
export function planCreate(id: string, atMs: number, config: MachineConfig): OperationStart {
  return started(id, "create", atMs, [
    step("pull-image", { image: config.image }),
    step("prepare-network"),
    step("prepare-rootfs", { layerKey: id }),
  ]);
}

/** The first two steps find their work done already, unless the host rebooted since. */
export function planStart(id: string, atMs: number, machine: Pick<Machine, "rootfsKey">): OperationStart {
  return started(id, "start", atMs, [
    step("prepare-network"),
    step("prepare-rootfs", { layerKey: machine.rootfsKey ?? id }),
    step("launch", { startId: id }),
  ]);
}

/** How a running process is asked to end. */
export interface StopRequest {
  readonly signal?: string;
  readonly timeoutMs?: number;
}

/** Ends the process, clears up after it and lays out a fresh root filesystem for the next start. */
export function planStop(id: string, atMs: number, machine: Machine, how: StopRequest): OperationStart {
  return started(id, "stop", atMs, [...endProcess(machine, how), ...freshen(id)]);
}

/** As a stop; the start that follows is an operation of its own. */
export function planRestart(id: string, atMs: number, machine: Machine, how: StopRequest): OperationStart {
  return started(id, "restart", atMs, [...endProcess(machine, how), ...freshen(id)]);
}

/** Clears up after a process that ended by itself. `delayMs` is the restart policy's backoff. */
export function planRecover(id: string, atMs: number, delayMs: number): OperationStart {
  const [first, ...rest] = freshen(id);
  return started(id, "recover", atMs, [{ ...first!, ...(delayMs > 0 ? { delayMs } : {}) }, ...rest]);
}

export function planSuspend(id: string, atMs: number): OperationStart {
  return started(id, "suspend", atMs, [step("suspend")]);
}

/** The image comes first: when it cannot be had, the old process was never disturbed. */
export function planUpdate(
  id: string,
  atMs: number,
  machine: Machine,
  config: MachineConfig,
): OperationStart {
  return started(id, "update", atMs, [
    step("pull-image", { image: config.image }),
    ...endProcess(machine, {}),
    step("remove-container"),
    step("prepare-network"),
    step("prepare-rootfs", { layerKey: id }),
  ]);
}

/** Takes everything away. A process that still runs is killed, not asked. */
export function planDestroy(id: string, atMs: number, machine: Machine): OperationStart {
  return started(id, "destroy", atMs, [
    ...endProcess(machine, { signal: "SIGKILL", timeoutMs: 0 }),
    step("remove-container"),
    step("remove-network"),
    step("remove-rootfs"),
    step("remove-logs"),
  ]);
}

function endProcess(machine: Machine, how: StopRequest): StepSpec[] {
  if (machine.startId === undefined) return [];
  const stop = machine.config.stop_config;
  const signal = how.signal ?? stop?.signal ?? "SIGINT";
  const timeoutMs =
    how.timeoutMs ?? (stop?.timeout === undefined ? DEFAULT_STOP_TIMEOUT_MS : durationMs(stop.timeout));
  return [
    step("send-signal", { signal, startId: machine.startId }),
    step("await-exit", { timeoutMs, startId: machine.startId }, { timeoutMs: timeoutMs + KILL_GRACE_MS }),
  ];
}

function freshen(id: string): StepSpec[] {
  return [step("remove-container"), step("prepare-rootfs", { layerKey: id })];
}
