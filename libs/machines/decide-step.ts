import { exitSchema, type MachineEvent, type MachineExit } from "#contracts";
import {
  accepted,
  attemptKey,
  currentStep,
  type Decision,
  isExhausted,
  type OperationRun,
  outputOf,
  type StepError,
  type StepOutput,
  UNCHANGED,
  withFailure,
  withOutput,
} from "#kernel";
import type { MachineCommand } from "./command.ts";
import { type MachineOperationKind, type Occasion, planKeep, planStart } from "./plan.ts";
import type { Machine } from "./state.ts";

type RecordStep = Extract<MachineCommand, { type: "RecordStep" }>;

/** Turns the outcome of a step's attempt into the next event: on to the next step, again, or the operation's end. */
export function decideStep(command: RecordStep, machine: Machine): Decision<MachineEvent> {
  const run = machine.operation;
  const step = run && currentStep(run);
  if (run === undefined || step === undefined || run.id !== command.operationId) return UNCHANGED;
  if (command.attemptKey !== undefined && command.attemptKey !== attemptKey(run)) return UNCHANGED;
  const { outcome } = command;
  if (outcome.kind === "completed") return accepted(completed(command, machine, run, outcome.output));
  const { error } = outcome;
  if (outcome.kind === "terminal" || isExhausted(withFailure(run, error, command.atMs))) {
    return accepted(givenUp(command, machine, run, error));
  }
  return accepted(failedAttempt(machine, run, error, outcome.retryAfterMs));
}

function completed(
  command: RecordStep,
  machine: Machine,
  run: OperationRun,
  output: StepOutput,
): MachineEvent {
  const after = withOutput(run, output, command.atMs);
  if (currentStep(after) !== undefined) {
    const step = currentStep(run)!.name;
    return { type: "StepCompleted", data: { machineId: machine.id, operationId: run.id, step, output } };
  }
  return finished(command, machine, after);
}

/** The event that ends an operation all of whose steps are done. */
function finished(command: RecordStep, machine: Machine, run: OperationRun): MachineEvent {
  const ends = { machineId: machine.id, operationId: run.id };
  switch (run.kind as MachineOperationKind) {
    case "create":
      return { type: "MachineCreated", data: { ...ends, imageDigest: digestOf(run) } };
    case "launch":
    case "start":
      return { type: "MachineStarted", data: { ...ends, startedAtMs: startedAtMs(command, machine, run) } };
    case "stop":
      return stoppedWith(ends, exitOf(run));
    case "recover":
      return machine.state === "restarting"
        ? startNext(command, machine, run, "restart-policy")
        : { type: "MachineStopped", data: ends };
    case "restart":
      return startNext(command, machine, run, "restart");
    case "suspend":
      return { type: "MachineSuspended", data: ends };
    case "update":
      return updated(command, machine, run);
    case "destroy":
      return { type: "MachineDestroyed", data: ends };
  }
}

/** The event that ends an operation that cannot be done. */
function givenUp(command: RecordStep, machine: Machine, run: OperationRun, error: StepError): MachineEvent {
  const ends = { machineId: machine.id, operationId: run.id, error };
  switch (machine.state) {
    case "creating":
      return { type: "MachineLaunchFailed", data: ends };
    case "starting":
      return { type: run.kind === "launch" ? "MachineLaunchFailed" : "MachineFailed", data: ends };
    case "updating": {
      const operation = startAgain(command, machine, run);
      return { type: "MachineUpdateFailed", data: operation === undefined ? ends : { ...ends, operation } };
    }
    case "suspending":
    case "stopping":
      return { type: "MachineFailed", data: ends };
    default:
      // A restart or a destroy cannot be given up: the table has no way back. It stays, and says why (I9).
      return failedAttempt(machine, run, error, error.code === "cancelled" ? 0 : STILL_OWED_PAUSE_MS);
  }
}

const STILL_OWED_PAUSE_MS = 30_000;

function failedAttempt(
  machine: Machine,
  run: OperationRun,
  error: StepError,
  retryAfterMs: number | undefined,
): MachineEvent {
  const step = currentStep(run)!.name;
  const attempt = { operationId: run.id, step, attempt: run.attempts + 1, error };
  const data = { machineId: machine.id, ...attempt };
  return { type: "StepFailed", data: retryAfterMs === undefined ? data : { ...data, retryAfterMs } };
}

function startNext(command: RecordStep, machine: Machine, run: OperationRun, origin: string): MachineEvent {
  const { config } = machine;
  const operation = planStart(occasionOf(command, run), { config, rootfsKey: run.id });
  return { type: "MachineStarting", data: { machineId: machine.id, operation, origin } };
}

function updated(command: RecordStep, machine: Machine, run: OperationRun): MachineEvent {
  const ends = { machineId: machine.id, operationId: run.id };
  if (!machine.skipLaunch) return startNext(command, machine, run, "update");
  if (machine.beforeUpdate?.state === "created") {
    return { type: "MachineUpdated", data: { ...ends, imageDigest: digestOf(run) } };
  }
  return stoppedWith(ends, exitOf(run));
}

/** How a machine that ran goes on after its update failed: with the process it had, if nobody told that to end. */
function startAgain(command: RecordStep, machine: Machine, run: OperationRun) {
  const { beforeUpdate, startId } = machine;
  if (beforeUpdate?.state !== "started" || startId === undefined) return undefined;
  const occasion = occasionOf(command, run);
  if (run.outputs.length === 0) return planKeep(occasion, startId);
  const hasEnded = outputOf(run, "await-exit") !== undefined;
  return planStart(occasion, { config: beforeUpdate.config, ...(hasEnded ? {} : { startId }) });
}

function occasionOf(command: RecordStep, parent: OperationRun): Occasion {
  return { id: command.commandId, atMs: command.atMs, parent };
}

function stoppedWith(
  ends: { machineId: string; operationId: string },
  exit: MachineExit | undefined,
): MachineEvent {
  return { type: "MachineStopped", data: exit === undefined ? ends : { ...ends, exit } };
}

function digestOf(run: OperationRun): string {
  return String(outputOf(run, "pull-image")?.digest);
}

function exitOf(run: OperationRun): MachineExit | undefined {
  return exitSchema.safeParse(outputOf(run, "await-exit")?.exit).data;
}

function startedAtMs(command: RecordStep, machine: Machine, run: OperationRun): number {
  const launched = outputOf(run, "launch");
  if (launched === undefined) return machine.startedAtMs ?? command.atMs;
  return typeof launched?.startedAtMs === "number" ? launched.startedAtMs : command.atMs;
}
