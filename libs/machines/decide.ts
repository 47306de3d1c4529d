import { type MachineEvent, resourcesOf } from "#contracts";
import { accepted, assertNever, type Decision, refusal, refused, UNCHANGED } from "#kernel";
import type { CreateMachine, MachineCommand } from "./command.ts";
import { decideExit } from "./decide-exit.ts";
import { decideStep } from "./decide-step.ts";
import {
  type Occasion,
  planCreate,
  planDestroy,
  planRestart,
  planStart,
  planStop,
  planSuspend,
  planUpdate,
} from "./plan.ts";
import { intentOf, queue } from "./queue.ts";
import { isLaunchPending } from "./react.ts";
import { busy, mustStopFirst, stillFailed, wrongState } from "./refuse.ts";
import { isTerminal, isTransient, type Machine } from "./state.ts";

type MachineDecision = Decision<MachineEvent>;
type CommandOf<T extends MachineCommand["type"]> = Extract<MachineCommand, { type: T }>;

/** Decides what a command means for a machine in its present state. Pure. */
export function decideMachine(command: MachineCommand, machine: Machine): MachineDecision {
  if (machine.decidedCommands.includes(command.commandId) && !isItsTurn(command, machine)) return UNCHANGED;
  switch (command.type) {
    case "StartMachine":
      return decideStart(command, machine);
    case "StopMachine":
      return decideStop(command, machine);
    case "RestartMachine":
      return decideRestart(command, machine);
    case "SuspendMachine":
      return decideSuspend(command, machine);
    case "CordonMachine":
    case "UncordonMachine":
      return decideCordon(command, machine);
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
  const operation = planCreate({ id: commandId, atMs }, command.config);
  return accepted({ type: "MachineCreating", data: { ...described, operation, createdAtMs: atMs } });
}

/** A queued command was decided when it was queued, and is decided once more when its turn comes. */
function isItsTurn(command: MachineCommand, machine: Machine): boolean {
  return machine.queued?.commandId === command.commandId && !isTransient(machine.state);
}

/** Whether something else comes first: the running operation, or what is owed as soon as it has ended. */
function hasToWait(command: MachineCommand, machine: Machine): boolean {
  return isTransient(machine.state) || (machine.queued !== undefined && !isItsTurn(command, machine));
}

function occasionOf({ commandId, atMs, correlationId }: MachineCommand): Occasion {
  return { id: commandId, atMs, correlationId };
}

function decideStart(command: CommandOf<"StartMachine">, machine: Machine): MachineDecision {
  const { id: machineId, state, queued } = machine;
  if (state === "destroying") return wrongState("start", machine);
  if (queued === undefined && ["starting", "restarting", "started"].includes(state)) return UNCHANGED;
  if (hasToWait(command, machine)) return queue(machine, intentOf(command));
  switch (state) {
    case "created":
    case "stopped":
    case "suspended":
    case "failed": {
      if (isResting(command, machine)) return stillFailed("start", machine, FAILED_REST_MS);
      const kind = isLaunchPending(machine) ? "launch" : "start";
      const operation = planStart(occasionOf(command), machine, kind);
      return accepted({ type: "MachineStarting", data: { machineId, operation, origin: command.origin } });
    }
    default:
      return wrongState("start", machine);
  }
}

/** How long a machine that failed is let be by requests. People may start it at once. */
const FAILED_REST_MS = 5_000;

/**
 * A machine whose last operation failed is tried again for a request, but not for every request: each vain start would be
 * two events more (F04). A clock that was set back makes it wait no longer (F20).
 */
function isResting({ origin, atMs }: MachineCommand, { state, updatedAtMs }: Machine): boolean {
  const restedMs = atMs - updatedAtMs;
  return origin === "request" && state === "failed" && restedMs >= 0 && restedMs < FAILED_REST_MS;
}

function decideStop(command: CommandOf<"StopMachine">, machine: Machine): MachineDecision {
  const { id: machineId, state, queued } = machine;
  if (state === "destroying") return wrongState("stop", machine);
  if (queued === undefined && ["stopping", "stopped"].includes(state)) return UNCHANGED;
  if (hasToWait(command, machine)) return queue(machine, intentOf(command));
  switch (state) {
    case "created":
    case "started":
    case "suspended":
    case "failed": {
      const operation = planStop(occasionOf(command), machine, command);
      return accepted({ type: "MachineStopping", data: { machineId, operation, origin: command.origin } });
    }
    default:
      return wrongState("stop", machine);
  }
}

/** A machine that does not run is started; one that is on its way to run is restarted thereby. */
function decideRestart(command: CommandOf<"RestartMachine">, machine: Machine): MachineDecision {
  const { id: machineId, state, queued } = machine;
  if (state === "destroying") return wrongState("restart", machine);
  if (queued === undefined && ["starting", "restarting"].includes(state)) return UNCHANGED;
  if (hasToWait(command, machine)) return queue(machine, intentOf(command));
  if (state !== "started") return decideStart({ ...command, type: "StartMachine" }, machine);
  const operation = planRestart(occasionOf(command), machine, command);
  return accepted({ type: "MachineRestarting", data: { machineId, operation, origin: command.origin } });
}

function decideSuspend(command: CommandOf<"SuspendMachine">, machine: Machine): MachineDecision {
  const { id: machineId, state, queued } = machine;
  if (queued === undefined && ["suspending", "suspended"].includes(state)) return UNCHANGED;
  if (state === "destroying") return wrongState("suspend", machine);
  if (hasToWait(command, machine)) return busy("suspend", machine);
  if (state !== "started") return wrongState("suspend", machine);
  return accepted({
    type: "MachineSuspending",
    data: { machineId, operation: planSuspend(occasionOf(command)) },
  });
}

/** It says what routers may do, not what the machine does: it waits for no operation. */
function decideCordon(
  { type, commandId, origin }: CommandOf<"CordonMachine" | "UncordonMachine">,
  machine: Machine,
): MachineDecision {
  const isCordon = type === "CordonMachine";
  if (machine.state === "destroying" || isTerminal(machine.state))
    return wrongState(isCordon ? "cordon" : "uncordon", machine);
  if (isCordon === (machine.isCordoned === true)) return UNCHANGED;
  const data = { machineId: machine.id, commandId, origin };
  return accepted({ type: isCordon ? "MachineCordoned" : "MachineUncordoned", data });
}

function decideUpdate(command: CommandOf<"UpdateMachine">, machine: Machine): MachineDecision {
  const { state, instanceId } = machine;
  if (command.currentVersion !== undefined && command.currentVersion !== instanceId) {
    const message = `the machine is at version ${instanceId}, not ${command.currentVersion}: read it again and retry`;
    return refused(refusal("version_mismatch", message, { details: { instanceId } }));
  }
  if (state === "destroying") return wrongState("update", machine);
  if (hasToWait(command, machine)) return busy("update", machine);
  if (!["created", "started", "stopped", "suspended", "failed"].includes(state)) {
    return wrongState("update", machine);
  }
  return accepted({
    type: "MachineUpdating",
    data: {
      machineId: machine.id,
      operation: planUpdate(occasionOf(command), machine, command.config),
      instanceId: command.instanceId,
      config: command.config,
      resources: resourcesOf(command.config),
      skipLaunch: command.skipLaunch,
    },
  });
}

/** Only what runs, or is about to, needs `force`. */
function decideDestroy(command: CommandOf<"DestroyMachine">, machine: Machine): MachineDecision {
  const { id: machineId, state } = machine;
  if (state === "destroying" || state === "destroyed") return UNCHANGED;
  const needsForce = ["starting", "started", "restarting", "suspending", "updating"].includes(state);
  if (needsForce && !command.force) return mustStopFirst(machine);
  if (hasToWait(command, machine)) return queue(machine, intentOf(command));
  if (state === "replaced" || state === "migrated") return wrongState("destroy", machine);
  const operation = planDestroy(occasionOf(command), machine);
  return accepted({ type: "MachineDestroying", data: { machineId, operation, origin: command.origin } });
}

function decideDrop(command: CommandOf<"DropIntent">, machine: Machine): MachineDecision {
  if (machine.queued === undefined) return UNCHANGED;
  const { code, message } = command;
  const data = { machineId: machine.id, intent: machine.queued.intent, code, message };
  return accepted({ type: "MachineIntentDropped", data });
}
