import type { MachineEvent, MachineExit } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";
import type { MachineCommand } from "./command.ts";
import { recent } from "./evolve.ts";
import { planDestroy, planRecover } from "./plan.ts";
import type { Machine } from "./state.ts";

const DEFAULT_MAX_RETRIES = 10;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;

/** A process ended by itself: the restart policy decides what comes next (features §1: on-failure, 10 in 5 min). */
export function decideExit(
  command: Extract<MachineCommand, { type: "RecordExit" }>,
  machine: Machine,
): Decision<MachineEvent> {
  if (machine.state === "starting" && machine.operation?.id === command.startId) {
    return refused(refusal("busy", "the start of this process is not recorded yet", { retryAfterMs: 0 }));
  }
  if (machine.state !== "started" || machine.startId !== command.startId) return UNCHANGED;
  const next = nextAfter(command.exit, machine, command.atMs);
  const operation =
    next === "destroying"
      ? planDestroy(command.commandId, command.atMs, machine)
      : planRecover(
          command.commandId,
          command.atMs,
          next === "restarting" ? backoffMs(machine, command.atMs) : 0,
        );
  return accepted({
    type: "MachineExited",
    data: { machineId: machine.id, operation, exit: command.exit, next },
  });
}

function nextAfter(
  exit: MachineExit,
  machine: Machine,
  atMs: number,
): "restarting" | "stopping" | "destroying" {
  const done = machine.config.auto_destroy === true ? "destroying" : "stopping";
  const policy = machine.config.restart?.policy ?? "on-failure";
  if (policy === "always") return "restarting";
  if (policy === "no" || exit.exit_code === 0) return done;
  const allowed = machine.config.restart?.max_retries ?? DEFAULT_MAX_RETRIES;
  return recent(machine.restartsAtMs, atMs).length < allowed ? "restarting" : done;
}

function backoffMs(machine: Machine, atMs: number): number {
  const restarts = Math.min(20, recent(machine.restartsAtMs, atMs).length);
  return restarts === 0 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (restarts - 1));
}
