import { exitSchema, type MachineEvent, type OperationStart } from "#contracts";
import {
  assertNever,
  currentStep,
  type OperationRun,
  openRun,
  type StepError,
  type StepOutput,
  withFailure,
  withOutput,
} from "#kernel";
import { beginUpdate, endUpdate, revertUpdate } from "./evolve-update.ts";
import { laysRootfs, startIdOf } from "./plan.ts";
import type { Machine, MachineStateName } from "./state.ts";

type DataOf<T extends MachineEvent["type"]> = Extract<MachineEvent, { type: T }>["data"];

/** The machine that `MachineCreating` brings into being. */
export function bornFrom(data: DataOf<"MachineCreating">): Machine {
  const { machineId: id, operation, ...described } = data;
  return {
    id,
    ...described,
    state: "creating",
    everStarted: false,
    holdsResources: !data.skipLaunch,
    updatedAtMs: data.createdAtMs,
    operation: openRun(operation),
    restartsAtMs: [],
    decidedCommands: [operation.id],
  };
}

/** The machine after one of its events. `atMs` is the wall-clock part of the event's clock. */
export function evolveMachine(machine: Machine, event: MachineEvent, atMs: number): Machine {
  if (event.type === "CommandRefused") return machine;
  const next = apply({ ...machine, updatedAtMs: atMs }, event, atMs);
  return hasComeTrue(next) ? without(next, "queued") : next;
}

function apply(machine: Machine, event: MachineEvent, atMs: number): Machine {
  switch (event.type) {
    case "MachineCreating":
    case "CommandRefused":
      return machine;
    case "MachineCreated":
      return { ...settle(machine, "created"), imageDigest: event.data.imageDigest, ...freshRootfs(machine) };
    case "MachineLaunchFailed":
      return failed(machine, "launch_failed", event.data.error);
    case "MachineStarting":
      return toStarting(machine, event.data.operation);
    case "MachineStarted":
      return withStart(machine, event.data.startedAtMs);
    case "MachineStopping":
      return beginAsked(machine, "stopping", event.data.operation);
    case "MachineExited":
      return withExit(machine, event.data, atMs);
    case "MachineStopped":
      return stopped(machine, event.data.exit);
    case "MachineRestarting":
      return beginAsked(machine, "restarting", event.data.operation);
    case "MachineSuspending":
      return beginAsked(machine, "suspending", event.data.operation);
    case "MachineSuspended":
      return { ...settle(machine, "suspended"), holdsResources: false };
    case "MachineUpdating":
      return beginAsked(beginUpdate(machine, event.data), "updating", event.data.operation);
    case "MachineUpdated":
      return { ...settle(endUpdate(machine), "created"), ...freshRootfs(machine), holdsResources: false };
    case "MachineUpdateFailed":
      return updateFailed(machine, event.data);
    case "MachineFailed":
      return failed(machine, "failed", event.data.error);
    case "MachineDestroying":
      return beginAsked(machine, "destroying", event.data.operation);
    case "MachineDestroyed":
      return { ...settle(without(machine, "startId"), "destroyed"), holdsResources: false };
    case "MachineCordoned":
      return { ...remember(machine, event.data.commandId), isCordoned: true };
    case "MachineUncordoned":
      return remember(without(machine, "isCordoned"), event.data.commandId);
    case "MachineReleased":
      return { ...settle(machine, "migrated"), holdsResources: false, epoch: event.data.epoch };
    case "MachineIntentQueued": {
      const { machineId: _, ...queued } = event.data;
      return { ...remember(machine, queued.commandId), queued };
    }
    case "MachineIntentDropped":
      return without(machine, "queued");
    case "StepCompleted":
      return withStepDone(machine, event.data.operationId, event.data.output, atMs);
    case "StepFailed":
      return onRun(machine, event.data.operationId, (run) =>
        withFailure(run, event.data.error, atMs, event.data.retryAfterMs),
      );
    default:
      return assertNever(event);
  }
}

const REMEMBERED_COMMANDS = 16;

function remember(machine: Machine, commandId: string): Machine {
  if (machine.decidedCommands.includes(commandId)) return machine;
  return {
    ...machine,
    decidedCommands: [...machine.decidedCommands, commandId].slice(-REMEMBERED_COMMANDS),
  };
}

function begin(machine: Machine, state: MachineStateName, start: OperationStart): Machine {
  return { ...without(machine, "error"), state, operation: openRun(start) };
}

/** An operation that a command began bears its id; one with a parent came from no command. */
function beginAsked(machine: Machine, state: MachineStateName, start: OperationStart): Machine {
  return begin(start.parentId === undefined ? remember(machine, start.id) : machine, state, start);
}

function settle(machine: Machine, state: MachineStateName): Machine {
  const { operation: _, error: __, ...rest } = machine;
  return { ...rest, state };
}

/** Whatever process it may have left still takes room. */
function failed(machine: Machine, state: MachineStateName, error: StepError): Machine {
  return { ...settle(machine, state), error, holdsResources: machine.startId !== undefined };
}

function toStarting(machine: Machine, start: OperationStart): Machine {
  const ended = machine.state === "updating" ? endUpdate(machine) : machine;
  const begun = beginAsked(without(ended, "rootfsKey"), "starting", start);
  const keepsProcess = machine.startId === startIdOf(openRun(start));
  return { ...(keepsProcess ? begun : without(begun, "startId")), holdsResources: true };
}

function withStart(machine: Machine, startedAtMs: number): Machine {
  const startId = machine.operation && startIdOf(machine.operation);
  const running = { ...settle(machine, "started"), everStarted: true, startedAtMs };
  return startId === undefined ? running : { ...running, startId };
}

function withExit(machine: Machine, data: DataOf<"MachineExited">, atMs: number): Machine {
  const { restartsAtMs } = machine;
  return {
    ...begin(without(machine, "startId"), data.next, data.operation),
    lastExit: data.exit,
    restartsAtMs: data.next === "restarting" ? [...recent(restartsAtMs, atMs), atMs] : [],
  };
}

/** Restarts count against the policy for five minutes (features §1: on-failure 10 in 5 min). */
export const RESTART_WINDOW_MS = 300_000;

/** The restarts still inside the window. */
export function recent(restartsAtMs: readonly number[], atMs: number): number[] {
  return restartsAtMs.filter((at) => at > atMs - RESTART_WINDOW_MS).slice(-1000);
}

function stopped(machine: Machine, exit: Machine["lastExit"]): Machine {
  const ended = machine.state === "updating" ? endUpdate(machine) : machine;
  return {
    ...settle(without(ended, "startId"), "stopped"),
    holdsResources: false,
    ...freshRootfs(machine),
    ...(exit === undefined ? {} : { lastExit: exit }),
  };
}

function updateFailed(machine: Machine, data: DataOf<"MachineUpdateFailed">): Machine {
  const { beforeUpdate } = machine;
  if (beforeUpdate === undefined) return machine;
  const reverted = revertUpdate(machine, beforeUpdate);
  if (data.operation !== undefined) return { ...toStarting(reverted, data.operation), error: data.error };
  const wasCreated = beforeUpdate.state === "created";
  const settled = settle(without(reverted, "startId"), wasCreated ? "created" : "stopped");
  return { ...settled, error: data.error, holdsResources: wasCreated && beforeUpdate.holdsResources };
}

/** Every operation that ends in rest has laid out a fresh root filesystem under its own id. */
function freshRootfs(machine: Machine): Pick<Machine, "rootfsKey"> {
  const run = machine.operation;
  return run !== undefined && laysRootfs(run) ? { rootfsKey: run.id } : {};
}

/** An exit that an operation waited for is known from then on, however that operation ends. */
function withStepDone(machine: Machine, operationId: string, output: StepOutput, atMs: number): Machine {
  const run = machine.operation;
  if (run?.id !== operationId) return machine;
  const exit = currentStep(run)?.name === "await-exit" ? exitSchema.safeParse(output?.exit).data : undefined;
  return { ...machine, operation: withOutput(run, output, atMs), ...(exit && { lastExit: exit }) };
}

function onRun(machine: Machine, operationId: string, change: (run: OperationRun) => OperationRun): Machine {
  if (machine.operation?.id !== operationId) return machine;
  return { ...machine, operation: change(machine.operation) };
}

/** Whether what was queued is so by now, or on its way. A machine that is destroyed has stopped, too. */
function hasComeTrue({ queued, state }: Machine): boolean {
  switch (queued?.intent) {
    case undefined:
      return false;
    case "start":
      return state === "started" || state === "starting";
    case "restart":
      return state === "restarting" || state === "starting";
    case "stop":
      return ["stopping", "stopped", "destroying", "destroyed"].includes(state);
    case "destroy":
      return state === "destroying" || state === "destroyed";
  }
}

function without<K extends "queued" | "error" | "startId" | "rootfsKey" | "isCordoned">(
  machine: Machine,
  key: K,
): Machine {
  const { [key]: _, ...rest } = machine;
  return rest as Machine;
}
