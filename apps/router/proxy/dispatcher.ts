import { assertNever, type Clock } from "#kernel";
import { type Choice, choose, type Route, type Wish } from "#routing";
import { exchange, type Outcome } from "./exchange.ts";
import {
  BUSY,
  badAnswer,
  connectFailed,
  machineDied,
  NOT_LISTENING,
  noneToChoose,
  QUEUE_FULL,
  STOPPING,
  wakeFailed,
  wakeTimeout,
} from "./failures.ts";
import type { Hold } from "./hold.ts";
import type { ProxyLimits } from "./limits.ts";
import type { ProxyMetrics } from "./proxy-metrics.ts";
import type { Refused } from "./refused.ts";
import { type TraceAbout, TraceRecorder, type TraceStage } from "./request-trace.ts";
import type { Routes } from "./routes.ts";
import type { TraceOutbox } from "./trace-outbox.ts";
import type { Upstream, Upstreams } from "./upstream.ts";
import { isIdempotent, type Visit } from "./visit.ts";
import type { Wakes } from "./wakes.ts";

/** Tries at machines, for one request. */
const MOST_TRIES = 8;
/** Connections that may break under one request: it may be what machines die of, and the next ones serve others, too. */
const MOST_BREAKS = 3;
/** Every machine has failed the request: how long until one is tried again whose route says nothing new. */
const ALL_FAILED_PAUSE_MS = 250;
/** Requests that may not be repeated take no connection that has rested for longer. */
const FRESH_MS = 1_000;

/** What a step of a request's way comes to: it goes on, it is over, or the request is refused. */
type Step = "again" | "served" | Refused;

interface Holding {
  /** Why, for its history. */
  readonly reason: string;
  /** What is said at the deadline. */
  readonly late: Refused;
  /** A machine that has all it may have is enough. */
  readonly wantsRoom?: boolean;
  /** How long at the most, when not until the deadline. */
  readonly ms?: number;
}

export interface DispatcherParts {
  readonly routes: Routes;
  readonly wakes: Wakes;
  readonly hold: Hold;
  readonly upstreams: Upstreams;
  readonly outbox: TraceOutbox;
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
  readonly limits: ProxyLimits;
  readonly routerId: string;
  readonly wish: Omit<Wish, "avoid">;
}

/**
 * Leads each request to a machine: chooses one, has one woken, holds the request until there is one, tries again where
 * that does no harm, and says no by name where all of it fails (I7).
 */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #wish: Wish;
  #isStopping = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#wish = { ...parts.wish, avoid: new Set() };
  }

  /** Answers from now on are the last ones of their connections. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Resolves when the request is over, however it ended. Never rejects. */
  async serve(visit: Visit): Promise<void> {
    const { metrics, outbox } = this.#parts;
    metrics.began();
    const refused = await this.#lead(visit);
    this.#unhold(visit);
    if (refused !== undefined && !visit.hasLeft) {
      this.#note(visit, "refused", { reason: refused.code });
      metrics.refused(refused.code);
      visit.refuse(refused);
    }
    metrics.ended(visit.status);
    if (visit.trace === undefined) return;
    this.#note(visit, "ended");
    outbox.send(visit.trace.trace(visit.status));
  }

  async #lead(visit: Visit): Promise<Refused | undefined> {
    while (!visit.hasLeft) {
      const step = await this.#follow(visit, this.#choose(visit));
      if (step === "served") break;
      if (step !== "again") return step;
    }
    return undefined;
  }

  #choose(visit: Visit): Choice {
    const { routes, upstreams } = this.#parts;
    const { failedAt } = visit;
    const { knocking } = upstreams;
    const machines = routes.table.machinesOf(visit.parts.appName).values();
    if (failedAt.size === 0 && knocking.size === 0) return choose(machines, routes.uses, this.#wish);
    for (const [machineId, route] of failedAt) {
      if (routes.table.get(machineId) !== route) failedAt.delete(machineId);
    }
    const avoid = { has: (machineId: string) => failedAt.has(machineId) || knocking.has(machineId) };
    return choose(machines, routes.uses, { ...this.#wish, avoid });
  }

  async #follow(visit: Visit, choice: Choice): Promise<Step> {
    if (choice.kind === "forward") return this.#forward(visit, choice);
    const { upstreams, limits } = this.#parts;
    const knockedForMs = upstreams.knockedForMs(visit.parts.appName);
    // One that was started and does not listen yet is waited for before another is woken.
    if (knockedForMs !== undefined && knockedForMs < limits.listenMs) {
      const ms = limits.listenMs - knockedForMs;
      return this.#hold(visit, { reason: "connecting", late: visit.failure ?? NOT_LISTENING, ms });
    }
    switch (choice.kind) {
      case "wake":
        return this.#wake(visit, choice.route);
      case "full":
        return this.#hold(visit, { reason: "busy", late: BUSY, wantsRoom: true });
      case "none":
        if (knockedForMs !== undefined) return visit.failure ?? NOT_LISTENING;
        return visit.failedAt.size === 0 ? noneToChoose(choice) : this.#allFailed(visit);
      default:
        return assertNever(choice);
    }
  }

  async #forward(visit: Visit, { route, service, wake }: Choice & { kind: "forward" }): Promise<Step> {
    const { routes, wakes, upstreams, hold, clock, metrics } = this.#parts;
    if (wake !== undefined) wakes.begin(wake, visit.parts.id);
    const upstream = upstreams.to(route, service.internalPort);
    // Those that were held come all at once: one finds out whether anybody listens.
    if (!upstream.isProven && visit.heldFor !== undefined) {
      this.#knock(route, upstream);
      return "again";
    }
    this.#unhold(visit);
    if (!isIdempotent(visit.parts.request.method!)) upstream.connections.closeResting(FRESH_MS);
    visit.tries += 1;
    if (visit.tries > 1) metrics.retried();
    routes.uses.begin(route, clock.monotonicMs());
    const outcome = await this.#exchange(visit, route, upstream);
    routes.uses.end(route.machineId, clock.monotonicMs());
    hold.stirOne(route.appName);
    return this.#after(visit, outcome, route, upstream);
  }

  #exchange(visit: Visit, route: Route, upstream: Upstream): Promise<Outcome> {
    return exchange(visit, upstream, {
      stallMs: this.#parts.limits.stallMs,
      isLast: this.#isStopping,
      connected: () => {
        upstream.proven();
        if (visit.trace !== undefined) this.#note(visit, "connected", { route });
      },
      firstByte: () => {
        if (visit.trace !== undefined) this.#note(visit, "first_byte", { route });
      },
    });
  }

  #after(visit: Visit, outcome: Outcome, route: Route, upstream: Upstream): Step {
    switch (outcome.kind) {
      case "answered":
      case "left":
        return "served";
      case "garbled":
        return badAnswer(route, outcome.reason);
      case "unconnected":
        this.#knock(route, upstream);
        return this.#again(visit, route, connectFailed(route, upstream.address.port, outcome.reason));
      case "broken":
        if (!visit.mayRepeat) return machineDied(route, false);
        // What rested beside a connection that was closed in its rest is no better.
        if (outcome.isStale) upstream.connections.closeResting(0);
        else visit.brokeAt(route);
        return this.#again(visit, route, machineDied(route, true));
      default:
        return assertNever(outcome);
    }
  }

  #again(visit: Visit, route: Route, failure: Refused): Step {
    visit.failure = failure;
    this.#note(visit, "retried", { route, reason: failure.code });
    return visit.tries < MOST_TRIES && visit.breaks < MOST_BREAKS ? "again" : failure;
  }

  /** Whatever could take it has failed it. A host that said no has said it; a machine that died is about to be another. */
  async #allFailed(visit: Visit): Promise<Step> {
    const failure = visit.failure!;
    if (failure.code !== "machine_died") return failure;
    const step = await this.#hold(visit, { reason: failure.code, late: failure, ms: ALL_FAILED_PAUSE_MS });
    visit.failedAt.clear();
    return step;
  }

  async #wake(visit: Visit, route: Route): Promise<Step> {
    const flight = this.#parts.wakes.begin(route, visit.parts.id);
    if (flight.failure !== undefined) {
      visit.failedAt.set(route.machineId, route);
      return this.#again(visit, route, wakeFailed(route, flight.failure));
    }
    const holding = this.#hold(visit, { reason: route.state, late: wakeTimeout(route) });
    const isUnderWay = route.state === "starting" || route.state === "restarting";
    this.#note(visit, isUnderWay ? "accepted" : "asked", { route });
    const step = await holding;
    // The host's answer says so, or the live feed before it.
    const now = this.#parts.routes.table.get(route.machineId)?.state;
    if (flight.startedAtMs !== undefined || now === "started") this.#note(visit, "started", { route });
    return step;
  }

  /** Lets the request wait until something happens, within its deadline. */
  async #hold(visit: Visit, { reason, late, wantsRoom, ms }: Holding): Promise<Step> {
    const { hold, clock, limits, metrics } = this.#parts;
    const leftMs = visit.parts.arrivedMs + limits.holdMs - clock.monotonicMs();
    if (leftMs <= 0) return late;
    if (visit.place === undefined) {
      visit.place = hold.enter(visit.parts.appName);
      if (visit.place === undefined) return this.#isStopping ? STOPPING : QUEUE_FULL;
      metrics.held();
      visit.heldFor = undefined;
      visit.heldSinceMs = clock.monotonicMs();
    }
    if (visit.heldFor !== reason) this.#note(visit, "held", { reason });
    visit.heldFor = reason;
    const { place } = visit;
    visit.attendant = { left: () => place.end("stirred") };
    const how = await place.wait(Math.min(leftMs, ms ?? leftMs), wantsRoom);
    visit.attendant = undefined;
    if (how === "over") return STOPPING;
    return how === "late" && ms === undefined ? late : "again";
  }

  #unhold(visit: Visit): void {
    if (visit.place === undefined) return;
    visit.place.leave();
    visit.place = undefined;
    const { clock, metrics } = this.#parts;
    metrics.heldFor((clock.monotonicMs() - visit.heldSinceMs) / 1_000);
  }

  #knock(route: Route, upstream: Upstream): void {
    this.#parts.upstreams.knock(route, upstream, () => this.#parts.hold.stir(route.appName));
  }

  #note(visit: Visit, stage: TraceStage, about?: TraceAbout): void {
    visit.trace ??= this.#startTrace(visit);
    visit.trace.note(stage, this.#parts.clock.monotonicMs(), about);
  }

  #startTrace({ parts }: Visit): TraceRecorder {
    const { clock, routerId } = this.#parts;
    const { id: requestId, appName, head, arrivedMs } = parts;
    const atMs = clock.nowMs() - (clock.monotonicMs() - arrivedMs);
    const method = parts.request.method!;
    return new TraceRecorder({ requestId, routerId, appName, method, path: head.target, atMs }, arrivedMs);
  }
}
