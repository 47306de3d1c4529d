import type { BusConnection } from "#bus";
import type { RecordedEvent } from "#contracts";
import { type AskOwner, logRange, type Projection } from "#event-log";
import { type FleetView, findMachine, machineHistory, mergeByClock } from "#fleet";
import { type Clock, formatPosition, type Position, RefusedError } from "#kernel";
import { Changes } from "../fleet/changes.ts";
import { type EventFilter, isWanted } from "./event-filter.ts";

/** Events kept for a client that is slower than what happens; then it is told to come again (F12). */
const MOST_WAITING = 10_000;
/** A client that hears nothing for long takes the connection for dead. */
const PULSE_MS = 5_000;

/** One line of the stream. A client that gives back the last position, advanced by the events since, misses nothing. */
export type FeedLine =
  | { readonly kind: "event"; readonly event: RecordedEvent }
  /** Everything up to here was sent, or was not wanted. */
  | { readonly kind: "position"; readonly position: string }
  | { readonly kind: "end"; readonly error: string; readonly status: string };

export interface FeedWish extends EventFilter {
  /** Goes on from there: nothing is left out, nothing comes twice. */
  readonly after?: Position | undefined;
  /** Without `after`, of one machine: how many of its latest events come first. */
  readonly tail: number;
}

export interface FeedGround {
  readonly nc: BusConnection;
  readonly clock: Clock;
  readonly askOwner: AskOwner;
  readonly projection: Projection<FleetView>;
}

/** Tells clients of each event as the projection applies it; what one missed is read from the logs. */
export class FollowEvents {
  readonly #ground: FeedGround;

  constructor(ground: FeedGround) {
    this.#ground = ground;
  }

  /** Lines until `signal` fires, or the client is too slow. */
  async *lines(wish: FeedWish, signal: AbortSignal): AsyncGenerator<FeedLine> {
    const live = new Waiting(this.#ground.projection);
    try {
      // Of this very moment: what comes after it is waiting already.
      const now = this.#ground.projection.position();
      const after = wish.after ?? this.#startOf(wish, now);
      yield { kind: "position", position: formatPosition(after) };
      yield* this.#missed(wish, after, now, signal);
      const passed = latest(after, now);
      yield* this.#live(wish, passed, live, signal);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      yield endLine(error.refusal.message, error.refusal.code);
    } finally {
      live.close();
    }
  }

  async *#live(
    wish: FeedWish,
    passed: Record<string, number>,
    live: Waiting,
    signal: AbortSignal,
  ): AsyncGenerator<FeedLine> {
    while (!signal.aborted) {
      for (let event = live.take(); event !== undefined; event = live.take()) {
        if (event.sequence <= (passed[event.log] ?? 0)) continue;
        passed[event.log] = event.sequence;
        if (this.#isWanted(event, wish)) yield { kind: "event", event };
      }
      if (live.isOverfull) {
        yield endLine("too slow: events are dropped here. Go on from the last position", "busy");
        return;
      }
      yield { kind: "position", position: formatPosition(passed) };
      await live.next(PULSE_MS, signal);
    }
  }

  /** What the client has not seen, and is over by now. */
  async *#missed(
    wish: FeedWish,
    after: Position,
    now: Position,
    signal: AbortSignal,
  ): AsyncGenerator<FeedLine> {
    const ground = { ...this.#ground, signal };
    const { logs } = this.#ground.projection.state;
    const ranges = Object.entries(now).flatMap(([logId, upTo]) => {
      const from = after[logId] ?? 0;
      const hostId = logs.get(logId)?.hostId;
      const name = hostId === undefined ? {} : { name: { hostId, logId } };
      const isOfOther = wish.hostId !== undefined && wish.hostId !== hostId;
      return from >= upTo || isOfOther ? [] : [logRange(ground, { ...name, after: from, upTo })];
    });
    for await (const event of mergeByClock(ranges)) {
      if (this.#isWanted(event, wish)) yield { kind: "event", event };
    }
  }

  #startOf({ machineId, tail }: FeedWish, now: Position): Position {
    const start: Record<string, number> = { ...now };
    if (machineId === undefined || tail === 0) return start;
    for (const { log, sequence } of machineHistory(this.#ground.projection.state, machineId).slice(-tail)) {
      start[log] = Math.min(start[log] ?? sequence, sequence - 1);
    }
    return start;
  }

  #isWanted(event: RecordedEvent, wish: FeedWish): boolean {
    const { state } = this.#ground.projection;
    return isWanted(event, wish, (machineId) => findMachine(state, machineId)?.appName);
  }
}

/** Events that were applied and wait to be sent: a bounded number. */
class Waiting {
  readonly #events: RecordedEvent[] = [];
  readonly #changes: Changes;
  isOverfull = false;

  constructor(projection: Pick<Projection<FleetView>, "onEvent">) {
    this.#changes = new Changes((notify) =>
      projection.onEvent((event) => {
        if (this.#events.length < MOST_WAITING && !this.isOverfull) this.#events.push(event);
        else this.isOverfull = true;
        notify();
      }),
    );
  }

  take(): RecordedEvent | undefined {
    return this.#events.shift();
  }

  next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#changes.next(timeoutMs, signal);
  }

  close(): void {
    this.#changes.close();
  }
}

function latest(a: Position, b: Position): Record<string, number> {
  const joined: Record<string, number> = { ...a };
  for (const [log, sequence] of Object.entries(b)) joined[log] = Math.max(joined[log] ?? 0, sequence);
  return joined;
}

function endLine(error: string, status: string): FeedLine {
  return { kind: "end", error, status };
}
