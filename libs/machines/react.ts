import type { MachineCommand } from "./command.ts";
import type { Machine } from "./state.ts";

/** A command that a settled machine is owed. Without `commandId` the host mints one. */
export type OwedCommand = { readonly origin: string; readonly commandId?: string } & (
  | { readonly type: "StartMachine" }
  | { readonly type: "StopMachine" | "RestartMachine"; readonly signal?: string; readonly timeoutMs?: number }
  | { readonly type: "DestroyMachine"; readonly force: true }
);

/**
 * What has to happen next by itself. It follows from the state, not from the event just seen, so that it is owed
 * still after a crash between the two.
 */
export function owedCommand(machine: Machine): OwedCommand | undefined {
  if (machine.operation !== undefined) return undefined;
  if (machine.state === "launch_failed")
    return { type: "DestroyMachine", force: true, origin: "launch-failed" };
  if (machine.queued !== undefined) return queuedCommand(machine.queued);
  const isNew = machine.state === "created" && !machine.everStarted && !machine.skipLaunch;
  return isNew ? { type: "StartMachine", origin: "launch" } : undefined;
}

function queuedCommand(queued: NonNullable<Machine["queued"]>): OwedCommand {
  const { intent, ...rest } = queued;
  switch (intent) {
    case "start":
      return { ...rest, type: "StartMachine" };
    case "stop":
      return { ...rest, type: "StopMachine" };
    case "restart":
      return { ...rest, type: "RestartMachine" };
    case "destroy":
      return { ...rest, type: "DestroyMachine", force: true };
  }
}

/** States whose operation a queued destroy gives up instead of waiting for it. */
const CANCELLABLE: ReadonlySet<Machine["state"]> = new Set([
  "creating",
  "starting",
  "updating",
  "suspending",
] as const);

/** Whether the running operation is to be given up: its current step is aborted and recorded as `cancelled`. */
export function isCancelled(machine: Machine): boolean {
  return machine.queued?.intent === "destroy" && CANCELLABLE.has(machine.state);
}

/** A machine command that a caller may send; the others are the host agent's own. */
export type UserMachineCommand = Extract<
  MachineCommand,
  {
    type:
      | "StartMachine"
      | "StopMachine"
      | "RestartMachine"
      | "SuspendMachine"
      | "UpdateMachine"
      | "DestroyMachine";
  }
>;
