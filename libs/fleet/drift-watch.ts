import { setImmediate } from "node:timers/promises";
import type { HostLogEvent, RecordedEvent } from "#contracts";
import { type HostState, HostStates, type Projection, readLog } from "#event-log";
import { HOST_FOLD_VERSION, hostToJson } from "#hosts";
import { canonicalHashInSlices } from "#kernel";
import { evolveFleet } from "./evolve.ts";
import { emptyFleet, type FleetView } from "./fleet-view.ts";

/** Places of a log at which hosts and projections keep what it folds to, however quickly it grows. */
export const HASHED_EVERY = 500;
/** A host's JSON is hashed machine by machine. */
const DEPTH = 2;
/** Differences that are told. */
const MOST_DIFFERENCES = 10;

type Connection = Parameters<typeof readLog>[0];

/** A projection that was not what a host's log folds to. Hashes as in the event `DriftFound`. */
export interface Drift {
  readonly hostId: string;
  readonly logId: string;
  readonly sequence: number;
  readonly expected: string;
  readonly found: string;
  readonly fresh: string;
  readonly differences: readonly string[];
}

export interface DriftWatchSettings {
  readonly nc: Connection;
  readonly projection: Projection<FleetView>;
  /** Told once the projection is right again. */
  readonly onDrift: (drift: Drift) => void;
  /** Told of what kept it from comparing. */
  readonly onFault: (error: unknown) => void;
}

/** A state of a log as it was at one of its places. Its members never change. */
interface Kept {
  readonly sequence: number;
  readonly json: unknown;
}

/** The hash of a host's state, made while the process goes on. `json`: what `hostToJson` gave. */
export function hostHash(json: unknown): Promise<string> {
  return canonicalHashInSlices(json, DEPTH, () => setImmediate());
}

/**
 * Compares a projection with what hosts say of themselves, at exactly the same place of the same log. Where they differ the
 * log is folded anew as the hub has it, and that takes the place of what was wrong: an answer from memory is never trusted
 * for longer than the next hash (F07).
 */
export class DriftWatch {
  readonly #settings: DriftWatchSettings;
  readonly #states: HostStates;
  readonly #forget: () => void;
  /** By log: at the last place that is a multiple of `HASHED_EVERY`. */
  readonly #kept = new Map<string, Kept>();
  /** By log: told of, and not reached yet. */
  readonly #awaited = new Map<string, HostState>();
  readonly #busy = new Set<string>();
  /** By log: the place that was compared last. Hosts tell of each again and again. */
  readonly #done = new Map<string, number>();
  /** Logs whose own host is wrong: that is told once. */
  readonly #strange = new Set<string>();
  #compared = 0;
  #wrong = 0;

  constructor(settings: DriftWatchSettings) {
    this.#settings = settings;
    this.#states = new HostStates(settings.nc, (state) => this.#told(state));
    this.#forget = settings.projection.onEvent((event) => this.#applied(event));
  }

  /** How often a log was compared. */
  get compared(): number {
    return this.#compared;
  }

  /** How often the projection was not what it had to be. */
  get wrong(): number {
    return this.#wrong;
  }

  stop(): void {
    this.#states.stop();
    this.#forget();
  }

  #told(state: HostState): void {
    const { projection } = this.#settings;
    const log = projection.state.logs.get(state.logId);
    // Whose log it is, is not for the sender to say.
    if (state.foldVersion !== HOST_FOLD_VERSION || (log !== undefined && log.hostId !== state.hostId)) return;
    if (this.#done.get(state.logId) === state.sequence) return;
    const applied = projection.position()[state.logId] ?? 0;
    const kept = this.#kept.get(state.logId);
    if (applied === state.sequence && log !== undefined) this.#compare(state, hostToJson(log.host));
    else if (kept?.sequence === state.sequence) this.#compare(state, kept.json);
    else if (applied < state.sequence) this.#awaited.set(state.logId, state);
  }

  #applied({ log: logId, sequence }: RecordedEvent): void {
    const awaited = this.#awaited.get(logId);
    if (sequence % HASHED_EVERY !== 0 && awaited === undefined) return;
    const host = this.#settings.projection.state.logs.get(logId)?.host;
    if (host === undefined) return;
    const json = hostToJson(host);
    if (sequence % HASHED_EVERY === 0) this.#kept.set(logId, { sequence, json });
    if (awaited === undefined || awaited.sequence > sequence) return;
    this.#awaited.delete(logId);
    if (awaited.sequence === sequence) this.#compare(awaited, json);
  }

  #compare(state: HostState, json: unknown): void {
    const { logId } = state;
    // What lacks an event is known to be incomplete, and says so by itself (I10).
    if (this.#busy.has(logId) || this.#lacks(logId)) return;
    this.#busy.add(logId);
    this.#check(state, json)
      .catch(this.#settings.onFault)
      .finally(() => this.#busy.delete(logId));
  }

  #lacks(logId: string): boolean {
    return this.#settings.projection.quarantine.events.some(({ log }) => log === logId);
  }

  async #check(state: HostState, json: unknown): Promise<void> {
    const found = await hostHash(json);
    const { hostId, logId, sequence, hash: expected } = state;
    this.#compared += 1;
    if (found !== expected) {
      const renewed = await this.#freshFold(state);
      if (renewed === undefined) return;
      const fresh = await hostHash(renewed.json);
      if (fresh !== found) this.#wrong += 1;
      const differences = differencesOf(json, renewed.json);
      const isNews = fresh === expected || !this.#strange.has(logId);
      if (fresh !== expected) this.#strange.add(logId);
      if (isNews) this.#settings.onDrift({ hostId, logId, sequence, expected, found, fresh, differences });
    } else this.#strange.delete(logId);
    this.#done.set(logId, sequence);
  }

  /**
   * Folds the log anew and has the projection go on from that. Returns what it folds to at the place of the comparison;
   * undefined when the hub does not have that much of it: then it is too early to tell.
   */
  async #freshFold({ hostId, logId, sequence }: HostState): Promise<{ readonly json: unknown } | undefined> {
    const { nc, projection } = this.#settings;
    const view = emptyFleet();
    let json: unknown;
    let reached = 0;
    const later: RecordedEvent[] = [];
    const stop = projection.onEvent((event) => {
      if (event.log === logId) later.push(event);
    });
    const take = (event: RecordedEvent) => {
      if (event.sequence !== reached + 1) return;
      reached = event.sequence;
      evolveFleet(view, event as RecordedEvent<HostLogEvent>);
      if (reached === sequence) json = hostToJson(view.logs.get(logId)!.host);
    };
    try {
      for await (const { decoded } of readLog(nc, { hostId, logId }, 1)) {
        if (decoded.kind === "event") take(decoded.event);
      }
      for (const event of later) take(event);
    } finally {
      stop();
    }
    if (json === undefined || reached !== projection.position()[logId]) return undefined;
    projection.state.logs.set(logId, view.logs.get(logId)!);
    return { json };
  }
}

/** Where two states differ, as paths: the first few. */
function differencesOf(a: unknown, b: unknown, path = "", found: string[] = []): string[] {
  if (found.length === MOST_DIFFERENCES || Object.is(a, b)) return found;
  if (!isObject(a) || !isObject(b)) {
    found.push(path);
    return found;
  }
  for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
    differencesOf(a[key], b[key], path === "" ? key : `${path}.${key}`, found);
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
