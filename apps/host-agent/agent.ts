import { join } from "node:path";
import { type HostLogEvent, subjects } from "#contracts";
import { type FencedError, Ledger, type LedgerTrouble, type LogVerdict } from "#event-log";
import { type Host, type HostCommand, HostDomain } from "#hosts";
import { HybridClock, type StepError } from "#kernel";
import { OperationRunner, type Waiting } from "#operations";
import type { ServiceLogger } from "#service";
import { Execs } from "./calls/execs.ts";
import { HostCalls } from "./calls/host.ts";
import { LogStreams } from "./calls/log-streams.ts";
import { MachineCalls } from "./calls/machines.ts";
import { Placement } from "./calls/placement.ts";
import { Snapshots } from "./calls/snapshots.ts";
import { VolumeCalls } from "./calls/volumes.ts";
import { Wakes } from "./calls/wakes.ts";
import { Decisions, type HostLedger } from "./decisions.ts";
import { afterAck } from "./effects/after-ack.ts";
import { effectsOf } from "./effects/index.ts";
import { Autostop } from "./react/autostop.ts";
import { CordonTimer } from "./react/cordon-timer.ts";
import { HostJournal } from "./react/host-journal.ts";
import { KnownRouters } from "./react/known-routers.ts";
import { LoadLeases } from "./react/load-leases.ts";
import { LogEndBeacon } from "./react/log-end-beacon.ts";
import { Reactor } from "./react/reactor.ts";
import { Releases } from "./react/releases.ts";
import { ReservationTimers } from "./react/reservation-timers.ts";
import { Retries } from "./react/retries.ts";
import { StateHash } from "./react/state-hash.ts";
import type { AgentSettings } from "./settings.ts";
import { AdmissionRoom } from "./start/admission-room.ts";
import { ClockWatch } from "./start/clock-watch.ts";
import { PortProbe } from "./start/port-probe.ts";
import { Reconciliation } from "./start/reconcile.ts";
import { StorageWatch } from "./start/storage-watch.ts";
import { VolumeInventory } from "./start/volume-inventory.ts";
import { VolumeProbe } from "./start/volume-probe.ts";
import type { AgentWorld } from "./world.ts";

/** What the agent tells its process. */
export interface AgentSignals {
  readonly logger: ServiceLogger;
  /** The agent can do nothing more: another one writes the log, or it has to begin anew with another log. */
  readonly onEnd: (reason: string) => void;
}

/** One host's agent: decides, writes down what it decided, and acts. Everything is wired here. */
export class HostAgent {
  readonly ledger: HostLedger;
  readonly placement: Placement;
  readonly machines: MachineCalls;
  readonly volumes: VolumeCalls;
  readonly wakes: Wakes;
  readonly execs: Execs;
  readonly host: HostCalls;
  readonly #clockWatch: ClockWatch;
  readonly #storage: StorageWatch;
  readonly #world: AgentWorld;
  readonly #signals: AgentSignals;
  readonly #decisions: Decisions;
  readonly #runner: OperationRunner;
  readonly #reactor: Reactor;
  readonly #timers: ReservationTimers;
  readonly #cordonTimer: CordonTimer;
  readonly #retries: Retries;
  readonly #streams: LogStreams;
  readonly #autostop: Autostop;
  readonly #releases: Releases;
  readonly #stateHash: StateHash;
  readonly #stopped: AbortController;

  /**
   * Opens the log and claims it: from here on no other agent of this host can write (I1). The hub is asked first, while
   * there is nothing of ours in the log that it could not know.
   */
  static async open(settings: AgentSettings, world: AgentWorld, signals: AgentSignals): Promise<HostAgent> {
    const verdict = await world.registration.ask(world.log);
    const log = isForeign(verdict) ? await world.log.reopen(verdict) : world.log;
    const hybridClock = new HybridClock(world.clock);
    const alarms: Alarm[] = [];
    const stopped = new AbortController();
    const stateHash = new StateHash(world.clock, stopped.signal);
    const ledger = await Ledger.open<HostCommand, Host, HostLogEvent>({
      log,
      domain: new HostDomain(world.identity),
      checkpoints: world.checkpoints,
      clock: world.clock,
      hybridClock,
      ids: world.ids,
      onDecided: ({ sequence }, host) => stateHash.onDecided(sequence, host),
      copies: (logId, from) => world.registration.copies(logId, from),
      onTrouble: (trouble) => {
        const alarm = alarmOf(trouble);
        if (alarm !== undefined) alarms.push(alarm);
        const { kind, ...more } = trouble;
        signals.logger.error({ trouble: kind, ...more }, "the log is not as it should be");
      },
      onFenced: (error: FencedError) => signals.onEnd(error.message),
    });
    const agent = new HostAgent(settings, { ...world, log: ledger.log }, signals, ledger, stateHash, stopped);
    for (const alarm of alarms) await agent.#alarm(alarm);
    agent.#clockWatch.note(hybridClock.tick(), "its own log");
    return agent;
  }

  private constructor(
    settings: AgentSettings,
    world: AgentWorld,
    signals: AgentSignals,
    ledger: HostLedger,
    stateHash: StateHash,
    stopped: AbortController,
  ) {
    this.#stateHash = stateHash;
    this.#stopped = stopped;
    const { clock, ids, ports } = world;
    this.ledger = ledger;
    this.#world = world;
    this.#signals = signals;
    this.#clockWatch = new ClockWatch(clock, (message) => {
      void this.#alarm({ alarm: "clock_off", message });
    });
    this.#decisions = new Decisions(ledger, clock, ids, settings.hostId, this.#clockWatch);
    this.#retries = new Retries(clock, () => {
      this.#reactor.lookAgain();
      this.#timers.align();
      this.#cordonTimer.align();
    });
    this.execs = new Execs(this.#decisions, ports.containers, world.nc, clock);
    const leases = this.#leases(settings);
    this.#releases = new Releases(() => leases.present(clock.monotonicMs()), clock);
    const effects = effectsOf(ports, this.#decisions, (...run) => this.#releases.released(...run));
    this.#runner = new OperationRunner(
      new HostJournal(this.#decisions),
      afterAck(ledger, effects),
      clock,
      (subjectId, error) => this.#halted(subjectId, error),
    );
    const onTrouble = (error: unknown) => this.#trouble({ err: error });
    this.#reactor = new Reactor(this.#decisions, this.#runner, ports.containers, clock, onTrouble);
    this.#timers = new ReservationTimers(this.#decisions, clock, onTrouble);
    this.#cordonTimer = new CordonTimer(this.#decisions, clock, onTrouble);
    this.#autostop = new Autostop(this.#decisions, leases, clock, onTrouble, (id) => this.execs.isIn(id));

    const snapshots = new Snapshots(ledger);
    const room = new AdmissionRoom(settings.dataDir, 2 * settings.diskReserveMib);
    this.#streams = new LogStreams(settings.hostId, ports.logs, world.nc, clock, (err) => {
      signals.logger.warn({ err }, "a log could not be streamed");
    });
    this.#storage = new StorageWatch(ports.volumes, (alarm, message) => {
      void this.#alarm({ alarm, message });
    });
    const probes = {
      ports: new PortProbe(settings.hostId),
      volumes: new VolumeProbe(this.#decisions, ports.volumes),
    };
    const gates = { room, storage: this.#storage, ...probes };
    this.placement = new Placement(this.#decisions, snapshots, gates, clock);
    this.volumes = new VolumeCalls({
      ...{ decisions: this.#decisions, snapshots, room, storage: this.#storage },
      store: ports.volumes,
    });
    this.machines = new MachineCalls(this.#decisions, snapshots, room, this.#streams);
    this.wakes = new Wakes({
      ...{ decisions: this.#decisions, snapshots, room, clock },
      onWanted: (...wanted) => this.#autostop.want(...wanted),
      waiting: () => this.waiting(),
    });
    this.host = new HostCalls(this.#decisions, snapshots, world.log);
  }

  /** Brings the log and what really runs together, and goes on with everything that is unfinished. */
  async start(): Promise<void> {
    const { ports, clock, capabilities, nc, log, identity, storageWarning } = this.#world;
    if (storageWarning !== undefined)
      this.#signals.logger.warn({ storageWarning }, "storage is not the best");
    await this.#decisions.own({ type: "MeasureCapacity", ...capabilities });
    this.ledger.onEvent((event) => {
      this.#reactor.onEvent(event);
      this.#timers.onEvent(event);
      this.#cordonTimer.onEvent(event);
      this.#autostop.onEvent(event);
      this.wakes.onEvent(event);
    });
    await new Reconciliation(this.#decisions, ports, this.#reactor, clock).run();
    await new VolumeInventory(this.#decisions, ports.volumes).run();
    this.#stopped.signal.addEventListener("abort", this.#storage.begin());
    const forget = ports.containers.onExit((...exited) => this.#reactor.onExit(...exited));
    this.#stopped.signal.addEventListener("abort", forget);
    this.#timers.align();
    this.#cordonTimer.align();
    this.#reactor.reactAll();
    nc.subscribe(subjects.load(log.hostId), {
      callback: (error, message) => {
        if (error !== null) return;
        this.#autostop.onLease(message.data);
        this.#releases.note(message.data);
      },
    });
    void this.#keepRegistered();
    this.#stateHash.follow(this.ledger);
    const beacon = new LogEndBeacon(nc, log, clock, identity.agentVersion, this.#stateHash);
    void beacon.run(this.#stopped.signal);
  }

  /** Machines that exist, in whatever state. */
  get machineCount(): number {
    const { machines, departed } = this.ledger.state;
    return machines.size - departed.length;
  }

  /** What each unfinished operation waits for (I9). */
  waiting(): Waiting[] {
    return this.#runner.waiting();
  }

  /** Machines run on (I5). What is unfinished is resumed at the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#retries.stop();
    this.#timers.stop();
    this.#cordonTimer.stop();
    this.#streams.close();
    this.execs.close();
    await this.#runner.stop();
    this.#world.ports.volumes.close();
    await this.ledger.close();
  }

  #leases({ dataDir }: AgentSettings): LoadLeases {
    const routers = new KnownRouters(join(dataDir, "routers.json"));
    return new LoadLeases(routers.load(), this.#world.clock.monotonicMs(), (routerIds) => {
      try {
        routers.save(routerIds);
      } catch (err) {
        this.#signals.logger.warn({ err }, "which routers there are could not be written down");
      }
    });
  }

  /** Registers, and does so again each time the leaf was away: its log may not be what it was. */
  async #keepRegistered(): Promise<void> {
    await this.#register();
    for await (const { type } of this.#world.nc.status()) {
      if (this.#stopped.signal.aborted) return;
      if (type === "reconnect") await this.#register();
    }
  }

  async #register(): Promise<void> {
    const { registration, log } = this.#world;
    const verdict = await registration.askUntilAnswered(log, this.#stopped.signal).catch(() => undefined);
    if (isForeign(verdict)) await this.#beginAnew(verdict);
  }

  async #beginAnew(verdict: "behind" | "diverged"): Promise<void> {
    const { log } = this.#world;
    const message = `the hub says that log ${log.logId} is ${verdict}: a new log follows`;
    await this.#alarm({ alarm: "log_diverged", message });
    await log.retire(verdict);
    this.#signals.onEnd(message);
  }

  async #alarm({ alarm, message }: Alarm): Promise<void> {
    this.#signals.logger.error({ alarm }, message);
    await this.#decisions.own({ type: "RaiseAlarm", alarm, message }).catch(() => undefined);
  }

  #halted(subjectId: string, error: StepError): void {
    // Only another version of the agent knows what to do here.
    if (error.code === "unsupported") this.#signals.logger.error({ subjectId, error }, "operation halted");
    else this.#trouble({ subjectId, error });
  }

  #trouble(what: Record<string, unknown>): void {
    if (this.#stopped.signal.aborted) return;
    this.#signals.logger.warn(what, "not written down; it will be tried again");
    this.#retries.soon();
  }
}

/** What a person should look at. */
interface Alarm {
  readonly alarm: string;
  readonly message: string;
}

/** Whether the hub knows another log than this one, under the same id: it must not be written any more. */
function isForeign(verdict: LogVerdict | undefined): verdict is "behind" | "diverged" {
  return verdict === "behind" || verdict === "diverged";
}

function alarmOf(trouble: LedgerTrouble): Alarm | undefined {
  switch (trouble.kind) {
    case "log_replaced": {
      const { logId, sequence, reason } = trouble;
      const message = `log ${logId} is ${reason} at ${sequence}: this log goes on from the state that was known then`;
      return { alarm: "log_replaced", message };
    }
    case "quarantined": {
      const { log, sequence, subject, reason } = trouble.event;
      const message = `event ${sequence} of log ${log} cannot be read (${reason}): ${subject} takes no commands`;
      return { alarm: "event_quarantined", message };
    }
    default:
      return undefined;
  }
}
