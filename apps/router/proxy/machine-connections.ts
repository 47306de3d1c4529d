import { Agent, type ClientRequest } from "node:http";
import { connect, type Socket } from "node:net";
import type { Clock } from "#kernel";

/** Many servers close a connection after 5 s of rest: one that is closed here earlier is never found closed there. */
const REST_MS = 4_000;
/** A machine's program listens with a backlog of 128 or more. What overflows it is only tried again a second later. */
const MOST_DIALLING = 100;
/** Silence after which the kernel asks whether the other side is still there. */
const PROBE_AFTER_MS = 15_000;

/** Where a machine's program listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Resting {
  readonly socket: Socket;
  readonly sinceMs: number;
}

/**
 * Connections to one run of a machine, kept alive between requests. Made by hand because node's own `Agent` looks each
 * one up by a name that it makes of the request's options, which costs half as much again per request (measured).
 */
export class MachineConnections extends Agent {
  readonly #address: Address;
  readonly #connectMs: number;
  readonly #clock: Clock;
  /** The last one is the one that was used last. */
  readonly #resting: Resting[] = [];
  readonly #queue: ClientRequest[] = [];
  #dialling = 0;
  #isClosed = false;

  constructor(address: Address, connectMs: number, clock: Clock) {
    super({ keepAlive: true });
    this.#address = address;
    this.#connectMs = connectMs;
    this.#clock = clock;
  }

  /** Node calls it for each request that was made with this agent: gives it a connection, now or in its turn. */
  addRequest(request: ClientRequest): void {
    const socket = this.#takeResting();
    if (socket !== undefined) hand(request, socket);
    else if (this.#dialling < MOST_DIALLING) request.onSocket(this.#dial());
    else this.#queue.push(request);
  }

  /** Makes one connection and lets it rest. Rejects when nobody takes it. */
  async knock(): Promise<void> {
    const socket = this.#dial();
    await new Promise<void>((done, fail) => {
      socket.once("connect", done);
      socket.once("error", fail);
    });
    this.#release(socket);
  }

  /**
   * Closes what has rested for longer. Whoever is at the other end may be closing a connection that rests, just now: what
   * must not be sent twice goes over one that was in use a moment ago, or over a new one.
   */
  closeResting(longerThanMs: number): void {
    const untilMs = this.#clock.monotonicMs() - longerThanMs;
    while (this.#resting.length > 0 && this.#resting[0]!.sinceMs <= untilMs) {
      this.#resting.shift()!.socket.destroy();
    }
  }

  /** The run is over: nothing rests from now on. What is under way comes to its own end. */
  close(): void {
    this.#isClosed = true;
    for (const { socket } of this.#resting.splice(0)) socket.destroy();
  }

  #dial(): Socket {
    const { host, port } = this.#address;
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    });
    this.#dialling += 1;
    const settled = () => {
      socket.off("connect", settled).off("close", settled).setTimeout(0);
      this.#dialling -= 1;
      this.#dialForQueue();
    };
    socket.on("connect", settled).on("close", settled);
    socket.setTimeout(this.#connectMs);
    socket.on("timeout", () => socket.destroy(socket.connecting ? new ConnectTimeout() : undefined));
    // Node listens for errors only while there is a request, and says by "free" that there is none any more.
    socket.on("error", () => undefined);
    socket.on("free", () => this.#release(socket));
    socket.on("close", () => this.#forget(socket));
    return socket;
  }

  #dialForQueue(): void {
    while (this.#dialling < MOST_DIALLING) {
      const request = this.#nextInQueue();
      if (request === undefined) return;
      request.onSocket(this.#dial());
    }
  }

  /** Whose client went away while it waited is passed over. */
  #nextInQueue(): ClientRequest | undefined {
    for (;;) {
      const request = this.#queue.shift();
      if (request?.destroyed !== true) return request;
    }
  }

  #takeResting(): Socket | undefined {
    for (;;) {
      const socket = this.#resting.pop()?.socket;
      if (socket === undefined) return undefined;
      socket.off("data", closeSurprising).setTimeout(0);
      if (socket.writable) return socket;
    }
  }

  #release(socket: Socket): void {
    if (this.#isClosed || !socket.writable) {
      socket.destroy();
      return;
    }
    const waiting = this.#nextInQueue();
    if (waiting !== undefined) {
      hand(waiting, socket);
      return;
    }
    this.#resting.push({ socket, sinceMs: this.#clock.monotonicMs() });
    socket.on("data", closeSurprising).setTimeout(REST_MS);
  }

  #forget(socket: Socket): void {
    const at = this.#resting.findIndex((resting) => resting.socket === socket);
    if (at >= 0) this.#resting.splice(at, 1);
  }
}

/** A machine did not take a connection in time. */
export class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";

  constructor() {
    super("no connection within the time for it");
    this.name = "ConnectTimeout";
  }
}

function hand(request: ClientRequest, socket: Socket): void {
  request.reusedSocket = true;
  request.onSocket(socket);
}

/** Nothing was asked: what comes now would be taken for the answer to the next request (F51). */
function closeSurprising(this: Socket): void {
  this.destroy();
}
