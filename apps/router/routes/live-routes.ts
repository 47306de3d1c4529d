import { askOwner, type BusClient, type BusConnection } from "#bus";
import { HostPulse, Projection, type StaleLog } from "#event-log";
import { DriftWatch, emptyFleet, FLEET_FOLD, type FleetView } from "#fleet";
import type { Clock, Ids } from "#kernel";
import { RouteTable, Uses } from "#routing";
import type { ServiceLogger } from "#service";
import { SaveRhythm } from "./save-rhythm.ts";

/** An agent that is there says something every second. */
const SILENT_AFTER_MS = 5_000;

/** How old the routes may be. */
export interface RoutesAge {
  /** Something may have happened, or has, that the routes do not show. */
  readonly isStale: boolean;
  /** Epoch milliseconds of the moment up to which nothing is missing; absent while nothing is known at all. */
  readonly asOfMs?: number;
  /** Why nothing newer is known. */
  readonly reason?: string;
  /** Hosts' logs of which events exist that the routes do not show. */
  readonly logs: readonly StaleLog[];
}

/**
 * The routes as events change them. They are there from the last checkpoint before there is a connection, and stay when
 * it is gone (F08, I11); `age` says how old they are.
 */
export class LiveRoutes {
  readonly table: RouteTable;
  readonly uses = new Uses();
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #logger: ServiceLogger;
  readonly #listeners = new Set<(appName: string) => void>();
  readonly #caughtUp = Promise.withResolvers<void>();
  readonly #rhythm: SaveRhythm;
  #restoredAsOfMs: number | undefined;
  #isCaughtUp = false;
  #projection: Projection<FleetView> | undefined;
  #pulse: HostPulse | undefined;

  constructor(directory: string, clock: Clock, logger: ServiceLogger) {
    this.#directory = directory;
    this.#clock = clock;
    this.#logger = logger;
    this.#rhythm = new SaveRhythm(clock);
    this.table = new RouteTable(emptyFleet(), (appName) => this.#changed(appName));
  }

  /** Takes the routes of the last checkpoint, if there is one. */
  async restore(): Promise<void> {
    const saved = await Projection.lastSaved(this.#directory, FLEET_FOLD);
    if (saved === undefined) return;
    this.#restoredAsOfMs = saved.savedAtMs;
    this.table.replace(saved.state);
  }

  /** Follows what happens from now on. */
  async follow(nc: BusConnection, bus: BusClient, ids: Ids): Promise<void> {
    this.#pulse = new HostPulse(nc, this.#clock);
    const projection = await Projection.start({
      nc,
      clock: this.#clock,
      fold: FLEET_FOLD,
      askOwner: askOwner(bus, ids, "router"),
      checkpointDirectory: this.#directory,
      onFault: (error) => this.#logger.error({ err: error }, "projection"),
    });
    projection.onQuarantine((event) => this.#logger.error({ event }, "event quarantined"));
    projection.onEvent((event) => {
      if (projection.state === this.table.view) this.table.apply(event);
      else this.#adopt(projection);
      this.#rhythm.changed();
    });
    // A router writes no event: it mends what it routes by, and says so (F07).
    new DriftWatch({
      ...{ nc, projection },
      onFault: (error) => this.#logger.error({ err: error }, "comparing with a host"),
      onDrift: (drift) => {
        this.#logger.error({ drift }, "the fold was wrong, and was made anew from the log");
        if (projection.state === this.table.view) this.table.replace(projection.state);
      },
    });
    this.#projection = projection;
    this.table.replace(projection.state);
    void projection.caughtUp.then(() => {
      this.#isCaughtUp = true;
      this.#caughtUp.resolve();
    });
  }

  /** Resolves once everything that stood at the hub at the start is in the routes. */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise;
  }

  /** Whether any are known: of today, or of before the start. */
  get areKnown(): boolean {
    return this.#isCaughtUp || this.#restoredAsOfMs !== undefined;
  }

  /** Whether a host is not heard that others would be: its machines come last. */
  isSilent(hostId: string): boolean {
    if (this.#pulse === undefined) return false;
    return (this.#pulse.silenceMs(hostId) ?? this.#pulse.listeningMs) > SILENT_AFTER_MS;
  }

  age(): RoutesAge {
    if (this.#projection === undefined) {
      const asOfMs = this.#restoredAsOfMs;
      return {
        isStale: true,
        ...(asOfMs !== undefined && { asOfMs }),
        reason: "no connection yet",
        logs: [],
      };
    }
    const { loss, logs } = this.#projection.staleness();
    const asOfMs = Math.min(loss?.sinceMs ?? this.#clock.nowMs(), ...logs.map(({ sinceMs }) => sinceMs));
    return {
      isStale: loss !== undefined || logs.length > 0,
      ...(this.areKnown && { asOfMs }),
      ...(loss !== undefined && { reason: loss.reason }),
      logs,
    };
  }

  /** Calls `listener` with each app whose routes changed, right after. Returns the way to stop that. */
  onChange(listener: (appName: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What has to be done every now and then. */
  tend(): void {
    const projection = this.#projection;
    if (projection === undefined) return;
    if (projection.state !== this.table.view) this.#adopt(projection);
    if (this.#isCaughtUp) this.#rhythm.saveIfDue(() => projection.checkpoint());
  }

  /** Saves, and follows no longer. */
  async stop(): Promise<void> {
    this.#pulse?.stop();
    await this.#projection?.stop();
  }

  /** CONTROL was replaced and all is folded anew: until that is done, what was known before is better than half of it. */
  #adopt(projection: Projection<FleetView>): void {
    if (projection.staleness().loss === undefined) this.table.replace(projection.state);
  }

  #changed(appName: string): void {
    for (const listener of this.#listeners) listener(appName);
  }
}
