import type { MachineEvent, OperationStart } from "#contracts";
import {
  assertNever,
  type OperationRun,
  openRun,
  outputOf,
  type StepError,
  withFailure,
  withOutput,
} from "#kernel";
import type { Machine, MachineStateName } from "./state.ts";

type CreatingData = Extract<MachineEvent, { type: "MachineCreating" }>["data"];

const REMEMBERED_COMMANDS = 8;

/** The machine that `MachineCreating` brings into being. */
export function bornFrom(data: CreatingData): Machine {
  return {
    id: data.machineId,
    appName: data.appName,
    name: data.name,
    region: data.region,
    epoch: data.epoch,
    state: "creating",
    instanceId: data.instanceId,
    config: data.config,
    resources: data.resources,
    ipv4: data.ipv4,
    privateIp: data.privateIp,
    skipLaunch: data.skipLaunch,
    everStarted: false,
    holdsResources: !data.skipLaunch,
    createdAtMs: data.createdAtMs,
    updatedAtMs: data.createdAtMs,
    operation: openRun(data.operation),
    restartsAtMs: [],
    decidedCommands: [data.operation.id],
  };
}

/** The machine after one of its events. `atMs` is the wall-clock part of the event's clock. */
export function evolveMachine(machine: Machine, event: MachineEvent, atMs: number): Machine {
  const next = apply({ ...machine, updatedAtMs: atMs }, event, atMs);
  return satisfied(next) ? without(next, "queued") : next;
}

function apply(machine: Machine, event: MachineEvent, atMs: number): Machine {
  switch (event.type) {
    case "MachineCreating":
      return machine;
    case "MachineCreated":
      return { ...settle(machine, "created"), imageDigest: event.data.imageDigest, ...freshRootfs(machine) };
    case "MachineLaunchFailed":
      return { ...settle(machine, "launch_failed", event.data.error), holdsResources: false };
    case "MachineStarting":
      return toStarting(machine, event.data.operation);
    case "MachineStarted":
      return withStart(machine, event.data.startedAtMs);
    case "MachineStopping":
      return begin(machine, "stopping", event.data.operation);
    case "MachineExited":
      return withExit(machine, event.data, atMs);
    case "MachineStopped":
      return stopped(machine, event.data.exit);
    case "MachineRestarting":
      return begin(machine, "restarting", event.data.operation);
    case "MachineSuspending":
      return begin(machine, "suspending", event.data.operation);
    case "MachineSuspended":
      return { ...settle(machine, "suspended"), holdsResources: false };
    case "MachineUpdating":
      return withUpdate(machine, event.data);
    case "MachineUpdated":
      return endUpdate(machine, "created");
    case "MachineUpdateFailed":
      return revertUpdate(machine, event.data);
    case "MachineFailed":
      return { ...settle(machine, "failed", event.data.error), holdsResources: false };
    case "MachineDestroying":
      return begin(machine, "destroying", event.data.operation);
    case "MachineDestroyed":
      return { ...settle(without(machine, "queued"), "destroyed"), holdsResources: false };
    case "MachineReleased":
      return { ...settle(machine, "migrated"), holdsResources: false, epoch: event.data.epoch };
    case "MachineIntentQueued": {
      const { machineId: _, ...queued } = event.data;
      return { ...machine, queued };
    }
    case "MachineIntentDropped":
      return without(machine, "queued");
    case "StepCompleted":
      return onRun(machine, event.data.operationId, (run) => withOutput(run, event.data.output, atMs));
    case "StepFailed":
      return onRun(machine, event.data.operationId, (run) =>
        withFailure(run, event.data.error, atMs, event.data.retryAfterMs),
      );
    case "CommandRefused":
      return machine;
    default:
      return assertNever(event);
  }
}

function begin(machine: Machine, state: MachineStateName, start: OperationStart): Machine {
  const decidedCommands = [...machine.decidedCommands, start.id].slice(-REMEMBERED_COMMANDS);
  return { ...without(machine, "error"), state, operation: openRun(start), decidedCommands };
}

function settle(machine: Machine, state: MachineStateName, error?: StepError): Machine {
  const { operation: _, error: __, ...rest } = machine;
  return { ...rest, state, ...(error === undefined ? {} : { error }) };
}

function toStarting(machine: Machine, start: OperationStart): Machine {
  const ended = machine.state === "updating" ? endUpdate(machine, "starting") : without(machine, "startId");
  return { ...begin(without(ended, "rootfsKey"), "starting", start), holdsResources: true };
}

function withStart(machine: Machine, startedAtMs: number): Machine {
  const startId = machine.operation?.id;
  const running = { ...settle(machine, "started"), everStarted: true, startedAtMs };
  return startId === undefined ? running : { ...running, startId };
}

function withExit(
  machine: Machine,
  data: Extract<MachineEvent, { type: "MachineExited" }>["data"],
  atMs: number,
): Machine {
  const begun = begin(without(machine, "startId"), data.next, data.operation);
  const restartsAtMs = data.next === "restarting" ? [...recent(machine.restartsAtMs, atMs), atMs] : [];
  return { ...begun, lastExit: data.exit, restartsAtMs };
}

/** Restarts count against the policy for five minutes (features §1: on-failure 10 in 5 min). */
export const RESTART_WINDOW_MS = 300_000;

/** The restarts still inside the window. */
export function recent(restartsAtMs: readonly number[], atMs: number): number[] {
  return restartsAtMs.filter((at) => at > atMs - RESTART_WINDOW_MS).slice(-1000);
}

function stopped(machine: Machine, exit: Machine["lastExit"]): Machine {
  const ended = machine.state === "updating" ? endUpdate(machine, "stopped") : settle(machine, "stopped");
  const rest = without(ended, "startId");
  const lastExit = exit ?? machine.lastExit;
  return {
    ...rest,
    holdsResources: false,
    ...freshRootfs(machine),
    ...(lastExit === undefined ? {} : { lastExit }),
  };
}

function withUpdate(
  machine: Machine,
  data: Extract<MachineEvent, { type: "MachineUpdating" }>["data"],
): Machine {
  const { config, instanceId, resources, imageDigest, state, skipLaunch } = machine;
  return {
    ...begin(machine, "updating", data.operation),
    config: data.config,
    instanceId: data.instanceId,
    resources: data.resources,
    skipLaunch: data.skipLaunch,
    holdsResources: machine.holdsResources || !data.skipLaunch,
    beforeUpdate: {
      config,
      instanceId,
      resources,
      state,
      skipLaunch,
      ...(imageDigest === undefined ? {} : { imageDigest }),
    },
  };
}

function endUpdate(machine: Machine, state: MachineStateName): Machine {
  const { beforeUpdate: _, startId: __, ...rest } = settle(machine, state);
  const pulled = machine.operation && outputOf(machine.operation, "pull-image")?.digest;
  const imageDigest = typeof pulled === "string" ? { imageDigest: pulled } : {};
  return { ...rest, ...imageDigest, ...freshRootfs(machine), holdsResources: false };
}

function revertUpdate(
  machine: Machine,
  data: Extract<MachineEvent, { type: "MachineUpdateFailed" }>["data"],
): Machine {
  const { beforeUpdate, ...rest } = machine;
  if (beforeUpdate === undefined) return machine;
  const { state, ...before } = beforeUpdate;
  const reverted = { ...without(rest, "startId"), ...before };
  if (data.operation !== undefined) return begin(reverted, "starting", data.operation);
  const settled = settle(reverted, state === "created" ? "created" : "stopped", data.error);
  return { ...settled, holdsResources: state === "created" && !before.skipLaunch };
}

/** Every operation that ends in rest has laid out a fresh root filesystem under its own id. */
function freshRootfs(machine: Machine): Pick<Machine, "rootfsKey"> {
  const run = machine.operation;
  return run?.steps.some((step) => step.name === "prepare-rootfs") ? { rootfsKey: run.id } : {};
}

function onRun(machine: Machine, operationId: string, change: (run: OperationRun) => OperationRun): Machine {
  if (machine.operation?.id !== operationId) return machine;
  return { ...machine, operation: change(machine.operation) };
}

/** Whether what was queued has come true by itself. */
function satisfied(machine: Machine): boolean {
  switch (machine.queued?.intent) {
    case undefined:
      return false;
    case "start":
      return machine.state === "started" || machine.state === "starting";
    case "restart":
      return machine.state === "restarting" || machine.state === "starting";
    case "stop":
      return machine.state === "stopping" || machine.state === "stopped";
    case "destroy":
      return machine.state === "destroying" || machine.state === "destroyed";
  }
}

function without<K extends "queued" | "error" | "startId" | "rootfsKey">(machine: Machine, key: K): Machine {
  const { [key]: _, ...rest } = machine;
  return rest as Machine;
}
