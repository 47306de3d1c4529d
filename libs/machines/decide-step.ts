import { exitSchema, type MachineEvent, type MachineExit } from "#contracts";
import {
  accepted,
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
import { type MachineOperationKind, planStart } from "./plan.ts";
import type { Machine } from "./state.ts";

type RecordStep = Extract<MachineCommand, { type: "RecordStep" }>;

/** Turns the outcome of a step's attempt into the next event: on to the next step, again, or the operation's end. */
export function decideStep(command: RecordStep, machine: Machine): Decision<MachineEvent> {
  const run = machine.operation;
  const step = run && currentStep(run);
  if (run === undefined || step === undefined || run.id !== command.operationId) return UNCHANGED;
  const { outcome } = command;
  if (outcome.kind === "completed") return accepted(completed(command, machine, run, outcome.output));
  const failed = withFailure(run, outcome.error, command.atMs);
  if (outcome.kind === "terminal" || isExhausted(failed))
    return accepted(givenUp(command, machine, run, outcome.error));
  return accepted({
    type: "StepFailed",
    data: {
      machineId: machine.id,
      operationId: run.id,
      step: step.name,
      attempt: failed.attempts,
      error: outcome.error,
      ...(outcome.retryAfterMs === undefined ? {} : { retryAfterMs: outcome.retryAfterMs }),
    },
  });
}

function completed(
  command: RecordStep,
  machine: Machine,
  run: OperationRun,
  output: StepOutput,
): MachineEvent {
  const after = withOutput(run, output, command.atMs);
  if (currentStep(after) !== undefined) {
    const step = run.steps[run.outputs.length]!.name;
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
    case "start":
      return { type: "MachineStarted", data: { ...ends, startedAtMs: startedAtMs(command, run) } };
    case "stop":
      return stoppedWith(ends, exitOf(run));
    case "recover":
      return machine.state === "restarting"
        ? startNext(command, machine, run, "restart-policy")
        : stoppedWith(ends, undefined);
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
      return { type: machine.everStarted ? "MachineFailed" : "MachineLaunchFailed", data: ends };
    case "updating": {
      const wasRunning = machine.beforeUpdate?.state === "started";
      const operation = wasRunning ? planStart(command.commandId, command.atMs, {}) : undefined;
      return {
        type: "MachineUpdateFailed",
        data: { ...ends, ...(operation === undefined ? {} : { operation }) },
      };
    }
    case "suspending":
    case "stopping":
      return { type: "MachineFailed", data: ends };
    default:
      return stillOwed(command, machine, run, error);
  }
}

/** A restart or a destroy cannot be given up: the table has no way back. It stays and says why (I9). */
function stillOwed(_: RecordStep, machine: Machine, run: OperationRun, error: StepError): MachineEvent {
  const step = currentStep(run)!.name;
  const failure = { operationId: run.id, step, attempt: run.attempts + 1, error, retryAfterMs: 30_000 };
  return { type: "StepFailed", data: { machineId: machine.id, ...failure } };
}

function startNext(command: RecordStep, machine: Machine, run: OperationRun, origin: string): MachineEvent {
  const operation = planStart(command.commandId, command.atMs, { rootfsKey: run.id });
  return { type: "MachineStarting", data: { machineId: machine.id, operation, origin } };
}

function updated(command: RecordStep, machine: Machine, run: OperationRun): MachineEvent {
  const ends = { machineId: machine.id, operationId: run.id };
  if (!machine.skipLaunch) return startNext(command, machine, run, "update");
  if (machine.beforeUpdate?.state === "created")
    return { type: "MachineUpdated", data: { ...ends, imageDigest: digestOf(run) } };
  return stoppedWith(ends, exitOf(run));
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

function startedAtMs(command: RecordStep, run: OperationRun): number {
  const recorded = outputOf(run, "launch")?.startedAtMs;
  return typeof recorded === "number" ? recorded : command.atMs;
}
