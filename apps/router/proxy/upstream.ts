import type { Clock } from "#kernel";
import type { Route } from "#routing";
import type { Address } from "./machine-connection.ts";
import { MachineConnections } from "./machine-connections.ts";

/** Pauses between two tries to connect to a program that does not listen yet. */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;
/** After that, whether it listens is found out by the next request. */
const KNOCK_FOR_MS = 60_000;

/**
 * One run of a machine, as requests reach it. Until its program has taken a first connection, one knocks for all: a
 * thousand requests for a machine that has just been started do not dial an address where nobody listens yet (F33).
 */
export class Upstream {
  readonly startId: string | undefined;
  readonly address: Address;
  readonly connections: MachineConnections;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #isProven = false;
  #knockingSinceMs: number | undefined;

  constructor({ startId, ipv4 }: Route, port: number, connectMs: number, clock: Clock) {
    this.startId = startId;
    this.address = { host: ipv4, port };
    this.connections = new MachineConnections(this.address, connectMs, clock);
    this.#clock = clock;
  }

  leadsTo({ startId, ipv4 }: Route, port: number): boolean {
    return this.startId === startId && this.address.host === ipv4 && this.address.port === port;
  }

  /** Whether its program has taken a connection. */
  get isProven(): boolean {
    return this.#isProven;
  }

  proven(): void {
    this.#isProven = true;
  }

  /** How long it has been knocked at in vain; undefined while nobody knocks. */
  get knockedForMs(): number | undefined {
    const sinceMs = this.#knockingSinceMs;
    return sinceMs === undefined ? undefined : this.#clock.monotonicMs() - sinceMs;
  }

  /** Tries to connect until that works or the run is over, then calls `ended`. Does nothing while somebody does that. */
  knock(ended: () => void): void {
    if (this.#knockingSinceMs !== undefined) return;
    this.#knockingSinceMs = this.#clock.monotonicMs();
    void this.#knockOn().finally(() => {
      this.#knockingSinceMs = undefined;
      ended();
    });
  }

  async #knockOn(): Promise<void> {
    const { signal } = this.#closed;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      try {
        await this.connections.knock();
        this.#isProven = true;
        return;
      } catch {
        if (this.knockedForMs! > KNOCK_FOR_MS) return;
        await this.#clock.sleep(pauseMs, signal).catch(() => undefined);
      }
    }
  }

  close(): void {
    this.#closed.abort();
    this.connections.close();
  }
}

/** The runs that requests were sent to, by machine. One whose route went away is closed. */
export class Upstreams {
  /** Machines whose programs take no connection just now. */
  readonly #knocking = new Set<string>();
  readonly #byApp = new Map<string, Map<string, Upstream>>();
  readonly #connectMs: number;
  readonly #clock: Clock;

  constructor(connectMs: number, clock: Clock) {
    this.#connectMs = connectMs;
    this.#clock = clock;
  }

  /** The way to a machine's run; a new one where the route leads elsewhere than before. */
  to(route: Route, port: number): Upstream {
    const ofApp = this.#byApp.get(route.appName) ?? this.#addApp(route.appName);
    const known = ofApp.get(route.machineId);
    if (known?.leadsTo(route, port)) return known;
    known?.close();
    const made = new Upstream(route, port, this.#connectMs, this.#clock);
    ofApp.set(route.machineId, made);
    return made;
  }

  /** Machines that are knocked at. Requests go elsewhere, or wait until the door opens. */
  get knocking(): ReadonlySet<string> {
    return this.#knocking;
  }

  /** Knocks at a machine until it takes a connection; then, or when that is given up, calls `ended`. */
  knock({ machineId }: Route, upstream: Upstream, ended: () => void): void {
    if (upstream.knockedForMs !== undefined) return;
    this.#knocking.add(machineId);
    upstream.knock(() => {
      this.#knocking.delete(machineId);
      ended();
    });
  }

  /** For how long the app's machine that was knocked at last has been; undefined when none is. */
  knockedForMs(appName: string): number | undefined {
    if (this.#knocking.size === 0) return undefined;
    const waits = [...(this.#byApp.get(appName)?.values() ?? [])].flatMap(
      ({ knockedForMs }) => knockedForMs ?? [],
    );
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** An app's routes changed: closes the ways to runs that are over (a restart is another run). */
  follow(appName: string, machines: ReadonlyMap<string, Route>): void {
    const ofApp = this.#byApp.get(appName);
    if (ofApp === undefined) return;
    for (const [machineId, upstream] of ofApp) {
      const route = machines.get(machineId);
      if (route?.state === "started" && upstream.leadsTo(route, upstream.address.port)) continue;
      upstream.close();
      ofApp.delete(machineId);
    }
    if (ofApp.size === 0) this.#byApp.delete(appName);
  }

  close(): void {
    for (const ofApp of this.#byApp.values()) for (const upstream of ofApp.values()) upstream.close();
    this.#byApp.clear();
  }

  #addApp(appName: string): Map<string, Upstream> {
    const made = new Map<string, Upstream>();
    this.#byApp.set(appName, made);
    return made;
  }
}
