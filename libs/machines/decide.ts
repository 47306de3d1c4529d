import { type MachineEvent, resourcesOf } from "#contracts";
import { accepted, assertNever, type Decision, refusal, refused, UNCHANGED } from "#kernel";
import type { CreateMachine, MachineCommand } from "./command.ts";
import { decideExit } from "./decide-exit.ts";
import { decideStep } from "./decide-step.ts";
import {
  planCreate,
  planDestroy,
  planRestart,
  planStart,
  planStop,
  planSuspend,
  planUpdate,
  type StopRequest,
} from "./plan.ts";
import { isTransient, type Machine } from "./state.ts";

type MachineDecision = Decision<MachineEvent>;
type CommandOf<T extends MachineCommand["type"]> = Extract<MachineCommand, { type: T }>;

/** Decides what a command means for a machine in its present state. Pure. */
export function decideMachine(command: MachineCommand, machine: Machine): MachineDecision {
  if (machine.decidedCommands.includes(command.commandId)) return UNCHANGED;
  switch (command.type) {
    case "StartMachine":
      return decideStart(command, machine);
    case "StopMachine":
      return decideStop(command, machine);
    case "RestartMachine":
      return decideRestart(command, machine);
    case "SuspendMachine":
      return decideSuspend(command, machine);
    case "UpdateMachine":
      return decideUpdate(command, machine);
    case "DestroyMachine":
      return decideDestroy(command, machine);
    case "RecordExit":
      return decideExit(command, machine);
    case "RecordStep":
      return decideStep(command, machine);
    case "DropIntent":
      return decideDrop(command, machine);
    default:
      return assertNever(command);
  }
}

/** The birth of a machine. That it fits is for the host to decide. */
export function decideCreate(command: CreateMachine): MachineDecision {
  const { type: _, commandId, atMs, origin: __, ...described } = command;
  const operation = planCreate(commandId, atMs, command.config);
  return accepted({ type: "MachineCreating", data: { ...described, operation, createdAtMs: atMs } });
}

function decideStart(command: CommandOf<"StartMachine">, machine: Machine): MachineDecision {
  switch (machine.state) {
    case "created":
    case "stopped":
    case "suspended":
    case "failed": {
      const operation = planStart(command.commandId, command.atMs, machine);
      return accepted({
        type: "MachineStarting",
        data: { machineId: machine.id, operation, origin: command.origin },
      });
    }
    case "started":
      return UNCHANGED;
    case "starting":
    case "restarting":
      return machine.queued === undefined ? UNCHANGED : queue(machine, intentOf("start", command));
    default:
      return queueOrRefuse(machine, intentOf("start", command));
  }
}

function decideStop(command: CommandOf<"StopMachine">, machine: Machine): MachineDecision {
  switch (machine.state) {
    case "created":
    case "started":
    case "suspended":
    case "failed": {
      const operation = planStop(command.commandId, command.atMs, machine, command);
      return accepted({
        type: "MachineStopping",
        data: { machineId: machine.id, operation, origin: command.origin },
      });
    }
    case "stopped":
      return UNCHANGED;
    case "stopping":
      return machine.queued === undefined ? UNCHANGED : queue(machine, intentOf("stop", command));
    default:
      return queueOrRefuse(machine, intentOf("stop", command));
  }
}

function decideRestart(command: CommandOf<"RestartMachine">, machine: Machine): MachineDecision {
  switch (machine.state) {
    case "started": {
      const operation = planRestart(command.commandId, command.atMs, machine, command);
      return accepted({
        type: "MachineRestarting",
        data: { machineId: machine.id, operation, origin: command.origin },
      });
    }
    case "created":
    case "stopped":
    case "suspended":
    case "failed":
      return decideStart({ ...command, type: "StartMachine" }, machine);
    case "starting":
    case "restarting":
      return machine.queued === undefined ? UNCHANGED : queue(machine, intentOf("start", command));
    default:
      return queueOrRefuse(machine, intentOf("restart", command));
  }
}

function decideSuspend(command: CommandOf<"SuspendMachine">, machine: Machine): MachineDecision {
  if (machine.state === "suspended" || machine.state === "suspending") return UNCHANGED;
  if (machine.state !== "started") return wrongState(command.type, machine);
  const operation = planSuspend(command.commandId, command.atMs);
  return accepted({ type: "MachineSuspending", data: { machineId: machine.id, operation } });
}

function decideUpdate(command: CommandOf<"UpdateMachine">, machine: Machine): MachineDecision {
  if (command.currentVersion !== undefined && command.currentVersion !== machine.instanceId) {
    const message = `the machine is at version ${machine.instanceId}, not ${command.currentVersion}: read it again and retry`;
    return refused(refusal("version_mismatch", message));
  }
  if (machine.queued !== undefined || isTransient(machine.state)) return busy(command.type, machine);
  if (!["created", "started", "stopped", "suspended", "failed"].includes(machine.state)) {
    return wrongState(command.type, machine);
  }
  return accepted({
    type: "MachineUpdating",
    data: {
      machineId: machine.id,
      operation: planUpdate(command.commandId, command.atMs, machine, command.config),
      instanceId: command.instanceId,
      config: command.config,
      resources: resourcesOf(command.config),
      skipLaunch: command.skipLaunch,
    },
  });
}

function decideDestroy(command: CommandOf<"DestroyMachine">, machine: Machine): MachineDecision {
  switch (machine.state) {
    case "destroying":
    case "destroyed":
      return UNCHANGED;
    case "created":
    case "stopped":
    case "suspended":
    case "failed":
    case "launch_failed":
    case "replacing":
      return destroy(command, machine);
    case "started":
      return command.force ? destroy(command, machine) : mustStopFirst(machine);
    default: {
      const needsForce = !["creating", "stopping"].includes(machine.state);
      return needsForce && !command.force
        ? mustStopFirst(machine)
        : queueOrRefuse(machine, intentOf("destroy", command));
    }
  }
}

function destroy(command: CommandOf<"DestroyMachine">, machine: Machine): MachineDecision {
  const operation = planDestroy(command.commandId, command.atMs, machine);
  return accepted({
    type: "MachineDestroying",
    data: { machineId: machine.id, operation, origin: command.origin },
  });
}

function decideDrop(command: CommandOf<"DropIntent">, machine: Machine): MachineDecision {
  if (machine.queued === undefined) return UNCHANGED;
  const { code, message } = command;
  const data = { machineId: machine.id, intent: machine.queued.intent, code, message };
  return accepted({ type: "MachineIntentDropped", data });
}

type Queued = NonNullable<Machine["queued"]>;

/** A command that arrives while an operation runs is owed next (F50). */
function queueOrRefuse(machine: Machine, queued: Queued): MachineDecision {
  if (!isTransient(machine.state) || machine.state === "destroying")
    return wrongState(queued.intent, machine);
  return queue(machine, queued);
}

/** The latest intent wins, but a queued destroy is not talked over. */
function queue(machine: Machine, queued: Queued): MachineDecision {
  const before = machine.queued;
  if (before?.intent === "destroy") {
    return queued.intent === "destroy"
      ? UNCHANGED
      : wrongState(queued.intent, machine, "it is going to be destroyed");
  }
  if (before?.intent === queued.intent && before.signal === queued.signal) return UNCHANGED;
  return accepted({ type: "MachineIntentQueued", data: { machineId: machine.id, ...queued } });
}

function intentOf(intent: Queued["intent"], command: MachineCommand & StopRequest): Queued {
  const { commandId, origin, signal, timeoutMs } = command;
  return {
    intent,
    commandId,
    origin,
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function wrongState(command: string, machine: Machine, why = `it is ${machine.state}`): MachineDecision {
  const message = `machine ${machine.id} does not take ${command}: ${why}`;
  return refused(refusal("wrong_state", message, { details: { state: machine.state } }));
}

function busy(command: string, machine: Machine): MachineDecision {
  const message = `machine ${machine.id} is ${machine.state}: retry ${command} when it has settled`;
  return refused(refusal("busy", message, { retryAfterMs: 1_000, details: { state: machine.state } }));
}

function mustStopFirst(machine: Machine): MachineDecision {
  const message = `machine ${machine.id} is ${machine.state}: stop it first, or destroy it with force`;
  return refused(refusal("wrong_state", message, { details: { state: machine.state } }));
}
