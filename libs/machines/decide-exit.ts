import type { MachineEvent, MachineExit } from "#contracts";
import { accepted, type Decision, refusal, refused, UNCHANGED } from "#kernel";
import type { MachineCommand } from "./command.ts";
import { recent } from "./evolve.ts";
import { type Occasion, planDestroy, planRecover, startIdOf } from "./plan.ts";
import type { Machine } from "./state.ts";

const DEFAULT_MAX_RETRIES = 10;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;

type Next = "restarting" | "stopping" | "destroying";

/** A process ended by itself: what is queued, else the restart policy, decides what comes next. */
export function decideExit(
  command: Extract<MachineCommand, { type: "RecordExit" }>,
  machine: Machine,
): Decision<MachineEvent> {
  const { operation: run, state } = machine;
  if (state === "starting" && run !== undefined && startIdOf(run) === command.startId) {
    return refused(refusal("busy", "the start of this process is not recorded yet", { retryAfterMs: 0 }));
  }
  if (state !== "started" || machine.startId !== command.startId) return UNCHANGED;
  const next = nextAfter(command.exit, machine, command.atMs);
  const occasion: Occasion = { id: command.commandId, atMs: command.atMs };
  const operation =
    next === "destroying"
      ? planDestroy(occasion, { config: machine.config })
      : planRecover(occasion, next === "restarting" ? backoffMs(machine, command.atMs) : 0);
  const data = { machineId: machine.id, operation, exit: command.exit, next };
  return accepted({ type: "MachineExited", data });
}

function nextAfter(exit: MachineExit, machine: Machine, atMs: number): Next {
  const done = machine.config.auto_destroy === true ? "destroying" : "stopping";
  switch (machine.queued?.intent) {
    case "destroy":
      return "destroying";
    case "stop":
      return done;
    case "start":
    case "restart":
      return "restarting";
    case undefined:
      return isRestarted(exit, machine, atMs) ? "restarting" : done;
  }
}

/** features §1: on-failure, 10 times in 5 minutes, unless the config says otherwise. */
function isRestarted(exit: MachineExit, { config, restartsAtMs }: Machine, atMs: number): boolean {
  const { policy = "on-failure", max_retries: allowed = DEFAULT_MAX_RETRIES } = config.restart ?? {};
  if (policy === "always") return true;
  if (policy === "no" || exit.exit_code === 0) return false;
  return recent(restartsAtMs, atMs).length < allowed;
}

function backoffMs(machine: Machine, atMs: number): number {
  const restarts = Math.min(20, recent(machine.restartsAtMs, atMs).length);
  return restarts === 0 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (restarts - 1));
}
