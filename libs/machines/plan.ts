import { durationMs, type MachineConfig, type OperationStart } from "#contracts";
import type { OperationRun, StepSpec } from "#kernel";
import type { Machine } from "./state.ts";

/**
 * The step lists of all operations on a machine. They are copied into the event that begins an operation; changing
 * one here never changes a run that has begun. The host agent has one effect per step name.
 */
export type MachineStep =
  | "pull-image"
  /** Network and root filesystem for the next start, so that it has nothing left to do but launch. */
  | "prepare"
  /** Makes ready what is not, and begins the process. */
  | "launch"
  /** The process of an earlier start runs on, and nothing is done to it. */
  | "keep-process"
  | "send-signal"
  | "await-exit"
  | "suspend"
  | "remove-container"
  | "remove-network"
  | "remove-rootfs"
  | "remove-logs";

export type MachineOperationKind =
  | "create"
  /** The first start of a machine that was created in order to run: one that fails ends the machine. */
  | "launch"
  | "start"
  | "stop"
  | "restart"
  | "suspend"
  | "update"
  /** What has to be done after a process ended by itself. */
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
  prepare: { timeoutMs: 30_000, maxAttempts: 5, backoffMs: 200 },
  launch: { timeoutMs: 30_000, maxAttempts: 3, backoffMs: 500 },
  "keep-process": { timeoutMs: 10_000, maxAttempts: UNTIL_DONE, backoffMs: 200 },
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

/** What begins an operation: its id, the time, the operation whose end begins it, if one does, and what it belongs to. */
export interface Occasion {
  readonly id: string;
  readonly atMs: number;
  readonly parent?: OperationRun;
  readonly correlationId?: string | undefined;
}

function operation(occasion: Occasion, kind: MachineOperationKind, steps: StepSpec[]) {
  const { id, atMs, parent, correlationId = parent?.correlationId } = occasion;
  const belongs = correlationId === undefined ? {} : { correlationId };
  const begun: OperationStart = { id, kind, steps, startedAtMs: atMs, ...belongs };
  return parent === undefined ? begun : { ...begun, parentId: parent.id, parentKind: parent.kind };
}

/** Fetches the image and makes everything ready, so that the start has nothing left to do but launch. */
export function planCreate(occasion: Occasion, config: MachineConfig): OperationStart {
  return operation(occasion, "create", [
    step("pull-image", { image: config.image }),
    step("prepare", { layerKey: occasion.id }),
  ]);
}

/**
 * Launches what was laid out for it: one step, because a request may be waiting. The start bears the id of what was laid
 * out, so that its container could be made before. Where nothing was, an operation failed before, and whatever it left is
 * cleared away first.
 */
export function planStart(
  occasion: Occasion,
  machine: Pick<Machine, "startId" | "rootfsKey" | "config">,
  kind: "start" | "launch" = "start",
): OperationStart {
  const { rootfsKey } = machine;
  const startId = rootfsKey ?? occasion.id;
  return operation(occasion, kind, [
    ...(rootfsKey === undefined ? [...killProcess(machine), step("remove-container")] : []),
    step("launch", { startId, layerKey: startId }),
  ]);
}

/** Goes on with a process that an update did not come to touch. */
export function planKeep(occasion: Occasion, startId: string): OperationStart {
  return operation(occasion, "start", [step("keep-process", { startId })]);
}

/** How a running process is asked to end. */
export interface StopRequest {
  readonly signal?: string;
  readonly timeoutMs?: number;
}

/** Ends the process, clears up after it and lays out a fresh root filesystem for the next start. */
export function planStop(occasion: Occasion, machine: Machine, how: StopRequest): OperationStart {
  return operation(occasion, "stop", [...endProcess(machine, how), ...freshen(occasion.id)]);
}

/** As a stop; the start that follows is an operation of its own. */
export function planRestart(occasion: Occasion, machine: Machine, how: StopRequest): OperationStart {
  return operation(occasion, "restart", [...endProcess(machine, how), ...freshen(occasion.id)]);
}

/** Clears up after a process that ended by itself. `delayMs` is the restart policy's backoff. */
export function planRecover(occasion: Occasion, delayMs: number): OperationStart {
  const [first, ...rest] = freshen(occasion.id);
  return operation(occasion, "recover", [{ ...first!, ...(delayMs > 0 ? { delayMs } : {}) }, ...rest]);
}

export function planSuspend(occasion: Occasion): OperationStart {
  return operation(occasion, "suspend", [step("suspend")]);
}

/** The image comes first: when it cannot be had, the old process was never disturbed. */
export function planUpdate(occasion: Occasion, machine: Machine, config: MachineConfig): OperationStart {
  return operation(occasion, "update", [
    step("pull-image", { image: config.image }),
    ...endProcess(machine, {}),
    ...freshen(occasion.id),
  ]);
}

/** Takes everything away. A process that still runs is killed, not asked. */
export function planDestroy(
  occasion: Occasion,
  machine: Pick<Machine, "startId" | "config">,
): OperationStart {
  return operation(occasion, "destroy", [
    ...killProcess(machine),
    step("remove-container"),
    step("remove-network"),
    step("remove-rootfs"),
    step("remove-logs"),
  ]);
}

function killProcess(machine: Pick<Machine, "startId" | "config">): StepSpec[] {
  return endProcess(machine, { signal: "SIGKILL", timeoutMs: 0 });
}

function endProcess({ startId, config }: Pick<Machine, "startId" | "config">, how: StopRequest): StepSpec[] {
  if (startId === undefined) return [];
  const { signal = "SIGINT", timeout } = config.stop_config ?? {};
  const configuredMs = timeout === undefined ? DEFAULT_STOP_TIMEOUT_MS : durationMs(timeout);
  const timeoutMs = how.timeoutMs ?? Math.ceil(configuredMs);
  return [
    step("send-signal", { signal: how.signal ?? signal, startId }),
    step("await-exit", { timeoutMs, startId }, { timeoutMs: timeoutMs + KILL_GRACE_MS }),
  ];
}

function freshen(layerKey: string): StepSpec[] {
  return [step("remove-container"), step("prepare", { layerKey })];
}

/** Whether this run lays out a root filesystem under its own id. */
export function laysRootfs({ id, steps }: OperationRun): boolean {
  return steps.some(({ input }) => (input as { layerKey?: string } | undefined)?.layerKey === id);
}

/** The start whose process this run launches or keeps: what the runtime knows the process by (F21). */
export function startIdOf(run: OperationRun): string | undefined {
  for (const { name, input } of run.steps) {
    if (name === "launch" || name === "keep-process") return (input as { startId: string }).startId;
  }
  return undefined;
}
