import type { Clock } from "#kernel";
import { type Address, MachineConnection } from "./machine-connection.ts";

/** Many servers close a connection after 5 s of rest: one that is closed here earlier is never found closed there. */
const REST_MS = 4_000;
/** A machine's program listens with a backlog of 128 or more. What overflows it is only tried again a second later. */
const MOST_DIALLING = 100;

/** Who wants a connection. */
export interface Taker {
  /** Wants none any more. */
  readonly hasLeft: boolean;
  connected(connection: MachineConnection): void;
  unconnected(reason: string): void;
}

interface Resting {
  readonly connection: MachineConnection;
  readonly sinceMs: number;
}

/** Connections to one run of a machine, kept alive between requests. */
export class MachineConnections {
  readonly #address: Address;
  readonly #connectMs: number;
  readonly #clock: Clock;
  /** The last one is the one that was used last. */
  readonly #resting: Resting[] = [];
  readonly #queue: Taker[] = [];
  #dialling = 0;
  #isClosed = false;
  #sweep: NodeJS.Timeout | undefined;

  constructor(address: Address, connectMs: number, clock: Clock) {
    this.#address = address;
    this.#connectMs = connectMs;
    this.#clock = clock;
  }

  /** Gives a connection, now or in its turn. */
  take(taker: Taker): void {
    const connection = this.#takeResting();
    if (connection !== undefined) taker.connected(connection);
    else if (this.#dialling < MOST_DIALLING) this.#dial(taker);
    else this.#queue.push(taker);
  }

  /** Makes one connection and lets it rest. Rejects when nobody takes it. */
  async knock(): Promise<void> {
    const connection = await new Promise<MachineConnection>((connected, fail) => {
      this.#dial({ hasLeft: false, connected, unconnected: (reason) => fail(new Error(reason)) });
    });
    this.#release(connection);
  }

  /**
   * Closes what has rested for longer. Whoever is at the other end may be closing a connection that rests, just now: what
   * must not be sent twice goes over one that was in use a moment ago, or over a new one.
   */
  closeResting(longerThanMs: number): void {
    const untilMs = this.#clock.monotonicMs() - longerThanMs;
    while (this.#resting.length > 0 && this.#resting[0]!.sinceMs <= untilMs) {
      this.#resting.shift()!.connection.destroy();
    }
  }

  /** The run is over: nothing rests from now on. What is under way comes to its own end. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#sweep);
    for (const { connection } of this.#resting.splice(0)) connection.destroy();
  }

  #dial(taker: Taker): void {
    this.#dialling += 1;
    const settled = () => {
      this.#dialling -= 1;
      this.#dialForQueue();
    };
    const connection = new MachineConnection(this.#address, this.#connectMs, {
      connected: () => {
        settled();
        if (taker.hasLeft) this.#release(connection);
        else taker.connected(connection);
      },
      unconnected: (reason) => {
        settled();
        taker.unconnected(reason);
      },
      freed: () => this.#release(connection),
      closed: () => this.#forget(connection),
    });
  }

  #dialForQueue(): void {
    while (this.#dialling < MOST_DIALLING) {
      const taker = this.#nextInQueue();
      if (taker === undefined) return;
      this.#dial(taker);
    }
  }

  /** Whose client went away while it waited is passed over. */
  #nextInQueue(): Taker | undefined {
    for (;;) {
      const taker = this.#queue.shift();
      if (taker?.hasLeft !== true) return taker;
    }
  }

  #takeResting(): MachineConnection | undefined {
    for (;;) {
      const connection = this.#resting.pop()?.connection;
      if (connection === undefined || connection.isOpen) return connection;
    }
  }

  #release(connection: MachineConnection): void {
    if (this.#isClosed || !connection.isOpen) {
      connection.destroy();
      return;
    }
    connection.hasRested = true;
    const taker = this.#nextInQueue();
    if (taker !== undefined) {
      taker.connected(connection);
      return;
    }
    this.#resting.push({ connection, sinceMs: this.#clock.monotonicMs() });
    this.#sweep ??= setTimeout(() => this.#sweepUp(), REST_MS).unref();
  }

  /** One timer for all: nearly every connection is taken again before its rest is over. */
  #sweepUp(): void {
    this.#sweep = undefined;
    this.closeResting(REST_MS);
    const [oldest] = this.#resting;
    if (oldest === undefined) return;
    const leftMs = oldest.sinceMs + REST_MS - this.#clock.monotonicMs();
    this.#sweep = setTimeout(() => this.#sweepUp(), Math.max(1, leftMs)).unref();
  }

  #forget(connection: MachineConnection): void {
    const at = this.#resting.findIndex((resting) => resting.connection === connection);
    if (at >= 0) this.#resting.splice(at, 1);
  }
}
