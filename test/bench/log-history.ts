import { type HostLogEvent, type NewEvent, type PublishedPort, VOCABULARY } from "#contracts";
import { type Host, type HostCommand, HostDomain, hostFold } from "#hosts";
import { currentStep, HybridClock, type StepOutput, SystemClock } from "#kernel";
import { type MachineCommand, owedCommand } from "#machines";
import { clock, HOST, ids } from "./log-leaf.ts";

type Unissued<C> = C extends unknown ? Omit<C, "commandId" | "atMs"> : never;

const OUTPUTS: Readonly<Record<string, StepOutput>> = {
  "pull-image": { digest: `sha256:${"0".repeat(64)}` },
  launch: { startedAtMs: 1_764_000_000_000 },
};
const CONFIG = {
  image: "registry.local/hello:1",
  env: { GREETING: "hello", PORT: "8080", DATABASE_URL: "postgres://db.internal/hello" },
  guest: { cpus: 1, memory_mb: 256 },
  publish: [] as PublishedPort[],
};

/** A second passes with every 20 events: what is remembered for a while is then as much as in a host's real life. */
class PassingClock extends SystemClock {
  #nowMs = super.nowMs() - 86_400_000;

  override nowMs(): number {
    this.#nowMs += 50;
    return this.#nowMs;
  }
}

/** The life of a host with a steady number of machines, decided by the real decider: created, started, stopped, destroyed. */
export class HostHistory {
  readonly #domain: HostDomain;
  readonly #hybridClock = new HybridClock(new PassingClock());
  readonly #machines: string[] = [];
  readonly #logId: string;
  readonly #actor: string;
  #host: Host = hostFold.empty();
  #sequence = 0;

  constructor(logId: string, hostId: string = HOST) {
    this.#logId = logId;
    this.#actor = `host:${hostId}`;
    const identity = { hostId, region: "local", clusterId: "bench", subnet: "10.213" };
    this.#domain = new HostDomain({ ...identity, agentVersion: "bench", bootId: "bench" });
  }

  /** Endless. `machineCount`: how many live at a time. */
  *events(machineCount: number): Generator<NewEvent<HostLogEvent>, never> {
    yield* this.#tell(this.#domain.openLog({ logId: this.#logId }, this.#issue()));
    const capacity = { cpuMillis: 1e9, memoryMib: 1e9 };
    yield* this.#tell({
      ...this.#issue(),
      type: "MeasureCapacity",
      capacity,
      maxMachines: 1e6,
      features: ["container"],
    });
    for (let turn = 0; ; turn += 1) {
      if (this.#machines.length < machineCount) yield* this.#create();
      else if (turn % 20 === 0) yield* this.#destroy(this.#machines.shift()!);
      else yield* this.#restart(this.#machines[turn % this.#machines.length]!);
    }
  }

  *#create(): Generator<NewEvent<HostLogEvent>> {
    const machineId = ids.machineId();
    const reservationId = ids.ulid();
    const epoch = 1;
    const resources = { cpuMillis: 62, memoryMib: 256 };
    const appName = "hello";
    const offer = { reservationId, machineId, appName, epoch, resources, ports: [], ttlMs: 10_000 };
    yield* this.#tell({ ...this.#issue(), type: "ReserveMachine", ...offer });
    yield* this.#tell({
      ...this.#issue(),
      type: "CommitMachine",
      ...{ reservationId, machineId, epoch, appName, name: `misty-river-${this.#sequence}` },
      ...{ instanceId: ids.ulid(), config: CONFIG, skipLaunch: false, origin: "user" },
    });
    this.#machines.push(machineId);
    yield* this.#settle(machineId);
  }

  *#restart(machineId: string): Generator<NewEvent<HostLogEvent>> {
    yield* this.#tellMachine(machineId, { type: "StopMachine", origin: "user" });
    yield* this.#settle(machineId);
    yield* this.#tellMachine(machineId, { type: "StartMachine", origin: "user" });
    yield* this.#settle(machineId);
  }

  *#destroy(machineId: string): Generator<NewEvent<HostLogEvent>> {
    yield* this.#tellMachine(machineId, { type: "DestroyMachine", origin: "user", force: true });
    yield* this.#settle(machineId);
  }

  /** Every step of what is under way succeeds at once. */
  *#settle(machineId: string): Generator<NewEvent<HostLogEvent>> {
    for (;;) {
      const machine = this.#host.machines.get(machineId);
      const run = machine?.operation;
      const step = run && currentStep(run);
      if (machine === undefined) return;
      if (run !== undefined && step !== undefined) {
        const outcome = { kind: "completed", output: OUTPUTS[step.name] ?? null } as const;
        const record = { type: "RecordStep", origin: "operation", operationId: run.id, outcome } as const;
        yield* this.#tellMachine(machineId, record);
        continue;
      }
      const owed = owedCommand(machine);
      if (owed === undefined) return;
      yield* this.#tellMachine(machineId, owed);
    }
  }

  #tellMachine(machineId: string, told: Unissued<MachineCommand>): Generator<NewEvent<HostLogEvent>> {
    const issued = this.#issue();
    const command = { ...told, ...issued } as MachineCommand;
    return this.#tell({ type: "Machine", machineId, command, ...issued });
  }

  *#tell(command: HostCommand): Generator<NewEvent<HostLogEvent>> {
    const decision = this.#domain.decide(command, this.#host);
    if (decision.kind !== "accepted") throw new Error(`${command.type}: ${JSON.stringify(decision)}`);
    const { event } = decision;
    const { commandId } = command;
    const header = {
      id: ids.ulid(),
      version: VOCABULARY.currentVersionOf(event.type),
      clock: this.#hybridClock.tick(),
      ...{ causationId: commandId, correlationId: commandId, actor: this.#actor },
    };
    const decided = { ...this.#domain.describe(command), commandId };
    const whole = { ...event, subject: this.#domain.subjectOf(event), header, decision: decided };
    this.#sequence += 1;
    this.#host = hostFold.evolve(this.#host, { ...whole, log: this.#logId, sequence: this.#sequence });
    yield whole;
  }

  #issue(): { readonly commandId: string; readonly atMs: number } {
    return { commandId: ids.ulid(), atMs: clock.nowMs() };
  }
}
