import type { HostLogEvent, LoadLease, MachineConfig, RecordedEvent } from "#contracts";
import { LOAD_LEASE_EVERY_MS, LOAD_LEASE_UNASKED_AFTER_MS } from "#contracts";
import { emptyHost } from "#hosts";
import { SimulatedClock } from "#kernel";
import type { Machine } from "#machines";
import { Autostop, type StoppingDecisions } from "./autostop.ts";
import { LOST_FOR_MS, LoadLeases } from "./load-leases.ts";

export const MACHINE_ID = "6e82dd0a000001";
export const AFTER_MS = 3_000;

const service = { internal_port: 8080, autostop: "stop" as const, autostop_after: `${AFTER_MS}ms` };

/** A host with one machine, and routers that may send it requests: as much of both as idle autostop is about. */
export class IdleWorld {
  readonly clock = new SimulatedClock();
  readonly routers: SimulatedRouter[];
  /** Who was using the machine at each stop. */
  readonly stops: string[][] = [];
  #machine: Machine;
  #known: readonly string[] = [];
  #autostop!: Autostop;
  #pausedUntilMs = 0;
  readonly #inbox: (() => void)[] = [];

  constructor(routerCount: number, config: Partial<MachineConfig> = { services: [service] }) {
    this.#machine = { id: MACHINE_ID, state: "started", config: { image: "i", ...config } } as Machine;
    this.routers = Array.from({ length: routerCount }, (_, n) => new SimulatedRouter(`r${n}`, this));
    this.restartAgent();
  }

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  get isRunning(): boolean {
    return this.#machine.state === "started";
  }

  /** A new agent; what the one before knew of routers is in a file. */
  restartAgent(): void {
    const decisions: StoppingDecisions = {
      host: emptyHost(),
      machine: (machineId) => (machineId === MACHINE_ID ? this.#machine : undefined),
      ownOf: async (_, { type }) => {
        this.stops.push(this.routers.filter((router) => router.mayUse).map(({ routerId }) => routerId));
        this.#machine = { ...this.#machine, state: type === "StopMachine" ? "stopped" : "suspended" };
        return { kind: "unchanged", position: {} };
      },
    };
    const leases = new LoadLeases(this.#known, this.nowMs, (known) => {
      this.#known = known;
    });
    this.#autostop = new Autostop(decisions, leases, this.clock, (thrown) => {
      throw thrown;
    });
  }

  /** The agent does nothing for a while; what comes meanwhile waits for it. */
  pauseAgent(durationMs: number): void {
    this.#pausedUntilMs = this.nowMs + durationMs;
  }

  lease(lease: LoadLease): void {
    this.#arrive(() => this.#autostop.onLease(Buffer.from(JSON.stringify(lease))));
  }

  /** A wake, with the answer to it. */
  wake(routerId: string, answered: () => void): void {
    this.#arrive(() => {
      this.#autostop.want(MACHINE_ID, routerId);
      if (!this.isRunning) this.start();
      answered();
    });
  }

  start(): void {
    this.#machine = { ...this.#machine, state: "started" };
    const data = { machineId: MACHINE_ID, operationId: "o", startedAtMs: 1 };
    this.#autostop.onEvent({ type: "MachineStarted", data } as RecordedEvent<HostLogEvent>);
  }

  /** Lets time pass; routers speak meanwhile. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += LOAD_LEASE_EVERY_MS) {
      await this.clock.pass(LOAD_LEASE_EVERY_MS);
      this.#work();
      for (const router of this.routers) router.tick();
    }
  }

  #arrive(message: () => void): void {
    this.#inbox.push(message);
    this.#work();
  }

  #work(): void {
    if (this.nowMs < this.#pausedUntilMs) return;
    for (const message of this.#inbox.splice(0)) message();
  }
}

/** What a router promises: it closes a machine before it calls it idle, and asks before it uses a closed one. */
export class SimulatedRouter {
  readonly routerId: string;
  readonly #world: IdleWorld;
  #lives = 1;
  #isUp = true;
  #isLinked = true;
  #isOpen = false;
  #inFlight = 0;
  #quietSinceMs = 0;
  #askedAtMs: number | undefined;
  #lastHeardMs = Number.NEGATIVE_INFINITY;
  #toldIdleAtMs = Number.NEGATIVE_INFINITY;

  constructor(routerId: string, world: IdleWorld) {
    this.routerId = routerId;
    this.#world = world;
  }

  /** Whether a request may be on its way to the machine, as far as the host has to care. */
  get mayUse(): boolean {
    const isForgotten = this.#world.nowMs - this.#lastHeardMs >= LOST_FOR_MS;
    return this.#isUp && this.#isOpen && !isForgotten;
  }

  request(): void {
    if (!this.#isUp) return;
    const { nowMs } = this.#world;
    this.#quietSinceMs = nowMs;
    const isUnanswered = this.#askedAtMs !== undefined || !this.#isLinked;
    const mayUseUnasked = isUnanswered && nowMs - this.#toldIdleAtMs >= LOAD_LEASE_UNASKED_AFTER_MS;
    if (this.#isOpen || mayUseUnasked) this.#use();
    else if (this.#isLinked) this.#ask();
  }

  finish(): void {
    this.#inFlight = 0;
    this.#quietSinceMs = this.#world.nowMs;
  }

  cut(): void {
    this.#isLinked = false;
  }

  heal(): void {
    this.#isLinked = true;
  }

  crash(): void {
    this.#isUp = false;
    this.#isOpen = false;
    this.#inFlight = 0;
    this.#askedAtMs = undefined;
  }

  /** Ends in good order, if nothing is under way. */
  leave(): void {
    if (!this.#isUp || this.#inFlight > 0) return;
    this.#isOpen = false;
    this.#say([], true);
    this.#isUp = false;
  }

  begin(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#lives += 1;
    this.#quietSinceMs = this.#world.nowMs;
  }

  tick(): void {
    if (!this.#isUp) return;
    const isQuiet = this.#inFlight === 0 && this.#world.nowMs - this.#quietSinceMs >= AFTER_MS;
    if (isQuiet) this.#isOpen = false;
    this.#say(isQuiet ? [MACHINE_ID] : [], false);
  }

  #ask(): void {
    const life = this.#lives;
    this.#lastHeardMs = this.#world.nowMs;
    this.#askedAtMs ??= this.#world.nowMs;
    this.#world.wake(this.routerId, () => {
      if (!this.#isUp || life !== this.#lives) return;
      this.#askedAtMs = undefined;
      this.#use();
    });
  }

  #use(): void {
    this.#isOpen = true;
    this.#inFlight += 1;
    this.#quietSinceMs = this.#world.nowMs;
  }

  #say(idle: string[], isLast: boolean): void {
    if (!this.#isLinked) return;
    this.#lastHeardMs = this.#world.nowMs;
    if (idle.length > 0) this.#toldIdleAtMs = this.#world.nowMs;
    this.#world.lease({
      routerId: this.routerId,
      incarnation: `life-${String(this.#lives).padStart(3, "0")}`,
      idle,
      isLast,
    });
  }
}
