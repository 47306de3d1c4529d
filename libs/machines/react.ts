import type { QueuedIntent } from "#contracts";
import { isTransient, type Machine } from "./state.ts";

/** A command that a settled machine is owed. Without `commandId` the host mints one. */
export type OwedCommand = Pick<QueuedIntent, "origin" | "correlationId"> & { readonly commandId?: string } & (
    | { readonly type: "StartMachine" }
    | {
        readonly type: "StopMachine" | "RestartMachine";
        readonly signal?: string;
        readonly timeoutMs?: number;
      }
    | { readonly type: "DestroyMachine"; readonly force: true }
    | { readonly type: "DropIntent"; readonly code: string; readonly message: string }
  );

/**
 * What has to happen next by itself. It follows from the state, not from the event just seen, so that it is owed
 * still after a crash between the two.
 */
export function owedCommand(machine: Machine): OwedCommand | undefined {
  const { state, queued, error } = machine;
  if (isTransient(state)) return undefined;
  if (state === "launch_failed") {
    if (queued?.intent === "destroy") return queuedCommand(queued);
    if (queued === undefined) return { type: "DestroyMachine", force: true, origin: "launch-failed" };
    const message = `the machine could not be made: ${error?.message ?? "its launch failed"}`;
    return { type: "DropIntent", origin: "launch-failed", code: error?.code ?? "wrong_state", message };
  }
  if (queued !== undefined) return queuedCommand(queued);
  return isLaunchPending(machine) ? { type: "StartMachine", origin: "launch" } : undefined;
}

/** Whether the machine was created in order to run and has not been started yet. */
export function isLaunchPending(machine: Machine): boolean {
  return machine.state === "created" && !machine.everStarted && !machine.skipLaunch;
}

function queuedCommand({ intent, force: _, ...rest }: QueuedIntent): OwedCommand {
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

/** States whose operation may be given up: the table leads out of them when it fails. */
const CAN_BE_GIVEN_UP: ReadonlySet<Machine["state"]> = new Set([
  "creating",
  "starting",
  "updating",
  "suspending",
  "stopping",
] as const);

/**
 * Whether the current step is to be aborted and recorded as `cancelled`: for a destroy that does not wait, or to spare
 * a machine that is to stop the pause before its restart.
 */
export function isCancelled({ queued, state, operation }: Machine): boolean {
  if (queued === undefined || operation === undefined) return false;
  if (state === "restarting")
    return operation.kind === "recover" && ["stop", "destroy"].includes(queued.intent);
  if (queued.intent !== "destroy") return false;
  return CAN_BE_GIVEN_UP.has(state) && (state === "creating" || queued.force === true);
}
