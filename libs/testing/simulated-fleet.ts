import {
  type AnyEvent,
  type DecisionRecord,
  type HostLogEvent,
  type MachineConfig,
  machineEvents,
  type RecordedEvent,
  subjects,
  VOCABULARY,
  volumeEvents,
} from "#contracts";
import {
  type ControlCommand,
  type ControlState,
  controlSubjectOf,
  decideControl,
  describeControl,
  emptyControl,
  evolveControl,
} from "#control";
import {
  decideHost,
  describeHost,
  emptyHost,
  evolveHost,
  type Host,
  type HostCommand,
  hostToJson,
} from "#hosts";
import { type Decision, HybridClock, SeededIds, SimulatedClock } from "#kernel";
import { type Machine, type MachineCommand, owedCommand } from "#machines";

const CAPACITY = { cpuMillis: 1_000_000, memoryMib: 1_000_000 };
const CONFIG = { image: "registry.local/hello:1", env: { GREETING: "hi" } };

/** What a command leaves out because the simulation knows it. */
type Bare<C> = C extends unknown ? Omit<C, "commandId" | "atMs"> : never;

interface SimulatedHost {
  readonly hostId: string;
  readonly log: RecordedEvent[];
  host: Host;
}

/** How a decision is written down. */
interface Recording {
  readonly subjectOf: (event: AnyEvent) => string;
  readonly commandId: string;
  readonly describe: (event: AnyEvent) => Omit<DecisionRecord, "commandId">;
}

/** Who decides in a simulation, where that is not this release: another one, or one with a bug. */
export interface ForeignDeciders {
  readonly decideHost?: typeof decideHost;
  readonly decideControl?: typeof decideControl;
}

/**
 * A fleet that lives through the real deciders, without processes, disks or a bus: it makes histories that could have
 * happened. The same seed makes the same history.
 */
export class SimulatedFleet {
  readonly clock = new SimulatedClock();
  readonly ids: SeededIds;
  readonly #hybridClock = new HybridClock(this.clock);
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #logs = new Map<string, RecordedEvent[]>();
  readonly #control: ControlState = emptyControl();
  readonly controlLog: string;
  /** What events say that they came of; may be changed as it lives. */
  cause = { causationId: "simulated", correlationId: "simulated", actor: "simulated" };
  /** May be changed as it lives: a release is deployed. */
  deciders: Required<ForeignDeciders>;

  constructor(seed: number, deciders: ForeignDeciders = {}) {
    this.deciders = { decideHost, decideControl, ...deciders };
    this.ids = new SeededIds(this.clock, seed);
    this.controlLog = this.ids.ulid();
    this.#logs.set(this.controlLog, []);
    this.decideControl({
      type: "CreateApp",
      ...{ appName: "hello", appId: "app-1", orgSlug: "personal", network: "default" },
      atMs: this.clock.nowMs(),
    });
  }

  /** All events by log id, CONTROL's among them. */
  get logs(): ReadonlyMap<string, readonly RecordedEvent[]> {
    return this.#logs;
  }

  /** Every event, in the order in which they were decided. */
  events(): RecordedEvent[] {
    return [...this.#logs.values()].flat().sort((a, b) => (a.header.clock < b.header.clock ? -1 : 1));
  }

  host(hostId: string): Host {
    return this.#require(hostId).host;
  }

  /** Machines of a host that are not gone. */
  machines(hostId: string): Machine[] {
    return [...this.host(hostId).machines.values()].filter(({ state }) => state !== "destroyed");
  }

  join(hostId: string): void {
    this.#openLog(hostId);
    this.decideHost(hostId, { type: "ClaimEpoch", agentVersion: "0.1.0", bootId: "boot" });
    const measured = { capacity: CAPACITY, maxMachines: 50_000, features: [] };
    this.decideHost(hostId, { type: "MeasureCapacity", ...measured });
  }

  /** The host goes on with its state in a new log. */
  replaceLog(hostId: string): void {
    this.#openLog(hostId, "behind");
  }

  /** Claims a name, decides the placement and commits. Returns the machine's id. */
  create(
    hostId: string,
    options: { readonly skipLaunch?: boolean; readonly name?: string; readonly config?: MachineConfig } = {},
  ): string {
    const machineId = this.ids.machineId();
    const appName = "hello";
    const { skipLaunch = false, name = `m-${machineId}`, config = CONFIG } = options;
    this.decideControl({ type: "ClaimMachineName", appName, name, machineId, atMs: 1 });
    const reservationId = this.ids.ulid();
    const wanted = { reservationId, machineId, appName, epoch: 1 };
    const resources = { cpuMillis: 62, memoryMib: 256 };
    this.decideHost(hostId, { type: "ReserveMachine", ...wanted, resources, ports: [], ttlMs: 5_000 });
    const placed = { machineId, appName, hostId, epoch: 1, region: "local", candidates: [], refusals: [] };
    this.decideControl({ type: "DecidePlacement", ...placed });
    const described = {
      appName,
      name,
      instanceId: this.ids.ulid(),
      config,
      skipLaunch,
      origin: "user",
    };
    this.decideHost(hostId, { type: "CommitMachine", ...wanted, ...described });
    return machineId;
  }

  /** A command; one that is owed keeps the id under which it was asked for. */
  command(hostId: string, machineId: string, command: Bare<MachineCommand>): void {
    const issued = { commandId: this.ids.ulid(), atMs: this.clock.nowMs() };
    this.decideHost(hostId, {
      type: "Machine",
      machineId,
      command: { ...issued, ...command } as MachineCommand,
    });
  }

  /** One step of the machine's operation ends well, or what is owed next begins. False when nothing is to be done. */
  step(hostId: string, machineId: string): boolean {
    const machine = this.host(hostId).machines.get(machineId);
    const run = machine?.operation;
    if (machine === undefined) return false;
    if (run !== undefined) {
      const output = run.steps[run.outputs.length]?.name === "pull-image" ? { digest: "sha256:00" } : null;
      const outcome = { kind: "completed", output } as const;
      this.command(hostId, machineId, { type: "RecordStep", origin: "host", operationId: run.id, outcome });
      return true;
    }
    const owed = owedCommand(machine);
    if (owed !== undefined) this.command(hostId, machineId, owed as Bare<MachineCommand>);
    return owed !== undefined;
  }

  /** Goes on until the machine rests. */
  settle(hostId: string, machineId: string): void {
    for (let steps = 0; this.step(hostId, machineId); steps += 1) {
      if (steps === 1_000) throw new Error(`machine ${machineId} never rests`);
    }
  }

  /** Something that could happen next, somewhere. */
  live(): void {
    const { ids } = this;
    const pick = <T>(from: readonly T[]) => from[Math.floor(ids.random() * from.length)];
    this.clock.jump(Math.floor(ids.random() * 5_000));
    const hostId = pick([...this.#hosts.keys()]);
    if (hostId === undefined) return;
    const machine = pick(this.machines(hostId));
    const chance = ids.random();
    if (machine === undefined || chance < 0.15) this.create(hostId, { skipLaunch: ids.random() < 0.2 });
    else if (chance < 0.6) this.step(hostId, machine.id);
    else if (chance < 0.7) this.command(hostId, machine.id, { type: "StopMachine", origin: "user" });
    else if (chance < 0.8) this.command(hostId, machine.id, { type: "StartMachine", origin: "user" });
    else if (chance < 0.9)
      this.command(hostId, machine.id, { type: "DestroyMachine", origin: "user", force: true });
    else if (chance < 0.97) {
      const type = machine.isCordoned === true ? "UncordonMachine" : "CordonMachine";
      this.command(hostId, machine.id, { type, origin: "user" });
    } else this.replaceLog(hostId);
  }

  decideHost(hostId: string, command: Bare<HostCommand>): void {
    const simulated = this.#require(hostId);
    const issued = { commandId: this.ids.ulid(), atMs: this.clock.nowMs() };
    this.#decideHost(simulated, { ...issued, ...command } as HostCommand, simulated.host.logId);
  }

  #decideHost({ hostId, host }: SimulatedHost, command: HostCommand, logId: string): void {
    const decision = this.deciders.decideHost(command, host);
    const event = this.#record(logId, decision, {
      subjectOf: (made) => hostSubject(hostId, made),
      commandId: "command" in command ? command.command.commandId : command.commandId,
      describe: (made) => describeHost(command, made as HostLogEvent),
    });
    if (event !== undefined) evolveHost(host, event as HostLogEvent, this.clock.nowMs());
  }

  decideControl(command: ControlCommand): void {
    const decision = this.deciders.decideControl(command, this.#control);
    const event = this.#record(this.controlLog, decision, {
      subjectOf: () => controlSubjectOf(command),
      commandId: "simulated",
      describe: () => describeControl(command),
    });
    if (event !== undefined) evolveControl(this.#control, event as Parameters<typeof evolveControl>[1]);
  }

  #openLog(hostId: string, reason?: string): void {
    const before = this.#hosts.get(hostId);
    const logId = this.ids.ulid();
    const log: RecordedEvent[] = [];
    this.#logs.set(logId, log);
    const host = before?.host ?? emptyHost();
    const previous =
      before === undefined || reason === undefined
        ? {}
        : {
            previous: {
              logId: host.logId,
              sequence: before.log.length,
              reason,
              state: structuredClone(hostToJson(host)),
            },
          };
    const simulated = { hostId, log, host };
    this.#hosts.set(hostId, simulated);
    const about = { hostId, logId, region: "local", clusterId: "simulated", subnet: "10.213" };
    const issued = { commandId: this.ids.ulid(), atMs: this.clock.nowMs() };
    this.#decideHost(simulated, { type: "OpenLog", ...issued, ...about, ...previous }, logId);
    const named = { hostId, region: "local", logId, stream: `HOST_${hostId}_${logId}`, domain: hostId };
    this.decideControl({ type: "RegisterHost", ...named, atMs: this.clock.nowMs() });
  }

  #record(
    log: string,
    decision: Decision<AnyEvent>,
    { subjectOf, commandId, describe }: Recording,
  ): RecordedEvent | undefined {
    if (decision.kind !== "accepted") return undefined;
    const events = this.#logs.get(log)!;
    const made: AnyEvent = structuredClone(decision.event);
    const event = {
      ...made,
      subject: subjectOf(decision.event),
      header: {
        ...{
          id: this.ids.ulid(),
          version: VOCABULARY.currentVersionOf(decision.event.type),
          clock: this.#hybridClock.tick(),
        },
        ...this.cause,
      },
      decision: structuredClone({ ...describe(decision.event), commandId }),
      log,
      sequence: events.length + 1,
    } as RecordedEvent;
    events.push(event);
    return event;
  }

  #require(hostId: string): SimulatedHost {
    const host = this.#hosts.get(hostId);
    if (host === undefined) throw new Error(`no host ${hostId} in this simulation`);
    return host;
  }
}

function hostSubject(hostId: string, event: AnyEvent): string {
  const { machineId = "", volumeId = "" } = event.data as { machineId?: string; volumeId?: string };
  if (event.type in volumeEvents) return subjects.volume(hostId, volumeId);
  return event.type in machineEvents ? subjects.machine(hostId, machineId) : subjects.host(hostId);
}
