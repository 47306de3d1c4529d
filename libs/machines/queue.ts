import type { MachineEvent, QueuedIntent } from "#contracts";
import { accepted, type Decision, UNCHANGED } from "#kernel";
import type { UserMachineCommand } from "./command.ts";
import { goingToBeDestroyed } from "./refuse.ts";
import type { Machine } from "./state.ts";

/** A command that has to wait for the running operation: it is owed next. The latest one wins, but for a destroy (F50). */
export function queue(machine: Machine, wanted: QueuedIntent): Decision<MachineEvent> {
  const standing = machine.queued;
  if (standing?.intent === "destroy") {
    if (wanted.intent !== "destroy") return goingToBeDestroyed(wanted.intent, machine);
    if (standing.force === true || wanted.force !== true) return UNCHANGED;
  }
  if (standing !== undefined && asksForTheSame(standing, wanted)) return UNCHANGED;
  return accepted({ type: "MachineIntentQueued", data: { machineId: machine.id, ...wanted } });
}

function asksForTheSame(a: QueuedIntent, b: QueuedIntent): boolean {
  return a.intent === b.intent && a.signal === b.signal && a.timeoutMs === b.timeoutMs && a.force === b.force;
}

type QueueableCommand = Extract<
  UserMachineCommand,
  { type: "StartMachine" | "StopMachine" | "RestartMachine" | "DestroyMachine" }
>;

const INTENTS = {
  StartMachine: "start",
  StopMachine: "stop",
  RestartMachine: "restart",
  DestroyMachine: "destroy",
} as const;

/** What a command asks for, in the form in which it waits. */
export function intentOf(command: QueueableCommand): QueuedIntent {
  const { commandId, correlationId, origin } = command;
  const belongs = correlationId === undefined ? {} : { correlationId };
  const intent = { intent: INTENTS[command.type], commandId, ...belongs, origin };
  switch (command.type) {
    case "StartMachine":
      return intent;
    case "DestroyMachine":
      return command.force ? { ...intent, force: true } : intent;
    case "StopMachine":
    case "RestartMachine": {
      const { signal, timeoutMs } = command;
      return {
        ...intent,
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
    }
  }
}
