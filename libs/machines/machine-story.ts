import type { MachineConfig, MachineEvent, MachineExit } from "#contracts";
import { attemptKey, currentStep, type Decision, type StepOutcome, type StepOutput } from "#kernel";
import type { MachineCommand } from "./command.ts";
import { decideCreate, decideMachine } from "./decide.ts";
import { bornFrom, evolveMachine } from "./evolve.ts";
import { owedCommand } from "./react.ts";
import { isTransient, type Machine, type MachineStateName } from "./state.ts";
import { mayTransition } from "./transitions.ts";

type Unissued<C> = C extends unknown ? Omit<C, "commandId" | "atMs" | "origin"> : never;
/** A command without what the story fills in by itself. */
export type Told = Unissued<MachineCommand> & { readonly commandId?: string; readonly origin?: string };

export const SAMPLE_CONFIG: MachineConfig = { image: "registry.local/hello:1" };
const RESOURCES = { cpuMillis: 62, memoryMib: 256 };

/**
 * One machine's life, told by commands and by what its steps come to. Every event is checked against the transition
 * table as it happens.
 */
export class MachineStory {
  machine: Machine;
  atMs = 1_764_000_000_000;
  readonly events: MachineEvent[] = [];
  #ids = 0;

  constructor(config: Partial<MachineConfig> = {}, skipLaunch = false) {
    const decision = decideCreate({
      type: "CreateMachine",
      commandId: "create",
      atMs: this.atMs,
      origin: "user",
      machineId: "d891234f0a2b3c",
      appName: "hello",
      name: "hello-1",
      region: "local",
      epoch: 1,
      instanceId: "v1",
      config: { ...SAMPLE_CONFIG, ...config },
      resources: RESOURCES,
      ipv4: "10.213.1.0",
      privateIp: "fd00::1",
      skipLaunch,
    });
    if (decision.kind !== "accepted" || decision.event.type !== "MachineCreating")
      throw new Error("not born");
    this.events.push(decision.event);
    this.machine = bornFrom(decision.event.data);
  }

  /** Gives a command and takes in what it comes to. Commands without an id get a new one. */
  tell(command: Told): Decision<MachineEvent> {
    this.#ids += 1;
    this.atMs += 1;
    const issued = { commandId: `c${this.#ids}`, origin: "user", ...command, atMs: this.atMs };
    const decision = decideMachine(issued as MachineCommand, this.machine);
    if (decision.kind === "accepted") this.#take(decision.event);
    return decision;
  }

  /** Records how the current attempt ended. */
  report(outcome: StepOutcome): Decision<MachineEvent> {
    const run = this.machine.operation;
    if (run === undefined) throw new Error(`nothing is going on: the machine is ${this.machine.state}`);
    return this.tell({ type: "RecordStep", operationId: run.id, outcome, attemptKey: attemptKey(run) });
  }

  /** Completes the current step as the world would. */
  completeStep(): Decision<MachineEvent> {
    return this.report({ kind: "completed", output: this.#outputOfStep() });
  }

  /** Completes steps until this one is the current one. */
  until(step: string): this {
    for (let steps = 0; this.currentStep !== step; steps += 1) {
      if (steps > 20) throw new Error(`never came to ${step}`);
      this.completeStep();
    }
    return this;
  }

  /** Completes the running operation, and nothing after it. */
  finish(): this {
    const { operation } = this.machine;
    while (operation !== undefined && this.machine.operation?.id === operation.id) this.completeStep();
    return this;
  }

  /** Lets happen whatever has to happen until the machine rests. */
  settle(): this {
    for (let acts = 0; ; acts += 1) {
      if (acts > 1_000) throw new Error(`it never rests: ${this.machine.state}`);
      if (isTransient(this.machine.state)) this.completeStep();
      else if (!this.giveOwed()) return this;
    }
  }

  /** Gives the command that is owed, and drops it when it is refused, as the host agent does. */
  giveOwed(): boolean {
    const owed = owedCommand(this.machine);
    if (owed === undefined) return false;
    const decision = this.tell(owed);
    if (decision.kind === "refused") {
      const { code, message } = decision.refusal;
      this.tell({ type: "DropIntent", code, message });
    }
    return true;
  }

  exit(exit: Partial<MachineExit> = {}): Decision<MachineEvent> {
    const { startId = "none" } = this.machine;
    return this.tell({ type: "RecordExit", startId, exit: { ...exitOf(this.atMs), ...exit } });
  }

  get currentStep(): string | undefined {
    return this.machine.operation && currentStep(this.machine.operation)?.name;
  }

  get steps(): string[] {
    return this.machine.operation?.steps.map(({ name }) => name) ?? [];
  }

  get state(): MachineStateName {
    return this.machine.state;
  }

  /** States in the order in which they were reached. */
  get path(): MachineStateName[] {
    return this.#path;
  }

  readonly #path: MachineStateName[] = ["creating"];

  #take(event: MachineEvent): void {
    const before = this.machine;
    this.events.push(event);
    this.machine = evolveMachine(before, event, this.atMs);
    const { state } = this.machine;
    if (state !== before.state) this.#path.push(state);
    if (!mayTransition(before.state, state)) throw new Error(`${event.type}: ${before.state} → ${state}`);
    if (isTransient(state) !== (this.machine.operation !== undefined)) {
      throw new Error(`${event.type}: ${state} with operation ${this.machine.operation?.kind}`);
    }
  }

  #outputOfStep(): StepOutput {
    switch (this.currentStep) {
      case "pull-image":
        return { digest: `sha256:${this.machine.config.image}` };
      case "launch":
        return { startedAtMs: this.atMs };
      case "await-exit":
        return { exit: { ...exitOf(this.atMs), requested_stop: true } };
      default:
        return null;
    }
  }
}

function exitOf(atMs: number): MachineExit {
  return { exit_code: 1, guest_signal: 0, oom_killed: false, requested_stop: false, exited_at_ms: atMs };
}
