import type { Clock, Refusal, Result } from "#kernel";
import type { Route, RouteTable, Uses } from "#routing";

/** Asks a machine's host to have it running. */
export abstract class WakeCaller {
  /**
   * Answered when the machine has started. `requestId`: the request that wants it, for the history of whatever it sets in
   * motion. A machine that runs is only noted as wanted.
   */
  abstract wake(route: Route, requestId: string, deadlineMs: number): Promise<Result<unknown>>;
}

/** One wake that is under way, or was answered a moment ago. */
export interface WakeFlight {
  /** When its host said that it has started, monotonic milliseconds. */
  readonly startedAtMs?: number;
  /** Why it did not start. */
  readonly failure?: Refusal;
}

interface Flight {
  startedAtMs?: number;
  failure?: Refusal;
}

/** How long an answer stands for whoever asks next: a host that says no is not asked in a loop. */
const STANDS_MS = 1_000;
/** A machine that runs only has to be noted as wanted: its host answers at once, or is not there. */
const NOTE_MS = 1_000;

export interface WakesSettings {
  readonly caller: WakeCaller;
  readonly table: Pick<RouteTable, "get">;
  readonly uses: Uses;
  readonly clock: Clock;
  /** How long a start may take. */
  readonly startMs: number;
  /** Told of each wake that a host is asked for. */
  readonly asked: () => void;
  /** Told of each wake that was answered, and again when the answer stands no longer. */
  readonly ended: (appName: string) => void;
}

/**
 * Wakes, one per machine however many requests wait for it (F33). A machine that runs is used although its host cannot be
 * asked: a host that hears no router stops nothing (F08, I11).
 */
export class Wakes {
  readonly #settings: WakesSettings;
  readonly #flights = new Map<string, Flight>();
  readonly #closing = new AbortController();

  constructor(settings: WakesSettings) {
    this.#settings = settings;
  }

  /** Has the machine woken, or joins the wake that is under way. */
  begin(route: Route, requestId: string): WakeFlight {
    const known = this.#flights.get(route.machineId);
    if (known !== undefined) return known;
    const flight: Flight = {};
    this.#flights.set(route.machineId, flight);
    this.#settings.asked();
    void this.#fly(flight, route, requestId);
    return flight;
  }

  /** Routes changed: what was answered and is seen in them now is over, so that the next request asks again. */
  follow(): void {
    for (const [machineId, { startedAtMs }] of this.#flights) {
      if (startedAtMs !== undefined && this.#runs(machineId)) this.#flights.delete(machineId);
    }
  }

  close(): void {
    this.#closing.abort();
  }

  async #fly(flight: Flight, route: Route, requestId: string): Promise<void> {
    const { caller, uses, clock, startMs, ended } = this.#settings;
    const isNote = route.state === "started";
    uses.want(route, clock.monotonicMs());
    const result = await caller.wake(route, requestId, isNote ? NOTE_MS : startMs);
    if (result.kind === "answer" || (isNote && isUnheard(result.refusal))) {
      flight.startedAtMs = clock.monotonicMs();
      uses.open(route, flight.startedAtMs);
      this.follow();
    } else {
      flight.failure = result.refusal;
    }
    ended(route.appName);
    await clock.sleep(STANDS_MS, this.#closing.signal).catch(() => undefined);
    if (this.#flights.get(route.machineId) !== flight) return;
    this.#flights.delete(route.machineId);
    ended(route.appName);
  }

  #runs(machineId: string): boolean {
    return this.#settings.table.get(machineId)?.state === "started";
  }
}

/** Nobody has said no: the host could not be asked, or its answer did not come. */
function isUnheard({ code }: Refusal): boolean {
  return code === "unreachable" || code === "deadline_exceeded";
}
