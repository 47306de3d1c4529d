import type { Socket } from "node:net";
import { type AnswerHead, clientHeaders } from "./answer-head.ts";
import { Garbled } from "./garbled.ts";
import { passedTrailers } from "./header-names.ts";
import type { Asker, MachineConnection } from "./machine-connection.ts";
import type { Taker } from "./machine-connections.ts";
import { openTunnel } from "./tunnel.ts";
import type { Upstream } from "./upstream.ts";
import type { Attendant, Visit } from "./visit.ts";

/** How one try to have a machine answer a request ended. */
export type Outcome =
  /** The client has its answer: all of it, or as much as there was before its connection was cut. */
  | { readonly kind: "answered" }
  /** The client went away. */
  | { readonly kind: "left" }
  /** No connection, so nothing was sent. */
  | { readonly kind: "unconnected"; readonly reason: string }
  /** The connection broke before an answer. `isStale`: it had rested, and may have been closed by then. */
  | { readonly kind: "broken"; readonly isStale: boolean }
  /** What came is not HTTP as we can pass it on. */
  | { readonly kind: "garbled"; readonly reason: string };

export interface ExchangeSettings {
  /** How long the client may take nothing of the answer. */
  readonly stallMs: number;
  /** Whether the answer is to be the last one of its connection. */
  readonly isLast: boolean;
  readonly connected: () => void;
  readonly firstByte: () => void;
}

/**
 * Sends a request to a machine and passes the answer on, as fast as the client takes it: what neither has taken stays in
 * the two sockets. Never rejects.
 */
export function exchange(visit: Visit, upstream: Upstream, settings: ExchangeSettings): Promise<Outcome> {
  return new Promise((done) => {
    upstream.connections.take(new Exchange(visit, settings, done));
  });
}

class Exchange implements Taker, Asker, Attendant {
  readonly #visit: Visit;
  readonly #settings: ExchangeSettings;
  readonly #done: (outcome: Outcome) => void;
  #connection: MachineConnection | undefined;
  #isStale = false;
  #isAnswered = false;
  #isPaused = false;
  #isOver = false;
  #stopBody: (() => void) | undefined;

  constructor(visit: Visit, settings: ExchangeSettings, done: (outcome: Outcome) => void) {
    this.#visit = visit;
    this.#settings = settings;
    this.#done = done;
    visit.attendant = this;
  }

  get hasLeft(): boolean {
    return this.#isOver;
  }

  left(): void {
    this.#connection?.destroy();
    this.#end({ kind: "left" });
  }

  unconnected(reason: string): void {
    this.#end({ kind: "unconnected", reason });
  }

  connected(connection: MachineConnection): void {
    const { request, head, headers, body } = this.#visit.parts;
    this.#connection = connection;
    this.#isStale = connection.hasRested;
    this.#settings.connected();
    connection.ask({ method: request.method!, target: head.target, headers, body: head.body }, this);
    if (head.body !== "none") this.#stopBody = body.pumpTo(connection);
  }

  informed({ status, headers }: AnswerHead): void {
    const { request, response, head } = this.#visit.parts;
    if (status === 100 && head.expectsContinue) response.writeContinue();
    if (status !== 103 || request.httpVersion !== "1.1") return;
    const link = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]!.toLowerCase() === "link");
    try {
      if (link.length > 0) response.writeEarlyHints({ link });
    } catch {
      // It was only a hint.
    }
  }

  answered(answer: AnswerHead, isAlone: boolean): void {
    const { response } = this.#visit.parts;
    this.#writeHead(answer);
    this.#isAnswered = true;
    this.#settings.firstByte();
    if (isAlone) response.flushHeaders();
  }

  body(bytes: Buffer): void {
    const { response } = this.#visit.parts;
    if (!response.write(bytes) && !this.#isPaused) this.#awaitClient();
  }

  ended(trailers: readonly string[]): void {
    const { response, body } = this.#visit.parts;
    const passed = passedTrailers(trailers);
    if (passed !== undefined) response.addTrailers(passed);
    response.end();
    this.#end({ kind: "answered" });
    // The machine may have said all before it has heard all.
    body.discard();
  }

  upgraded(answer: AnswerHead, socket: Socket, rest: Buffer): void {
    const { id, upgrading } = this.#visit.parts;
    if (upgrading === undefined) {
      socket.destroy();
      this.#end({ kind: "garbled", reason: "101" });
      return;
    }
    this.#visit.attendant = undefined;
    this.#settings.firstByte();
    upgrading.detach();
    const headers = clientHeaders(answer, id, false);
    const machine = { socket, head: rest, answer };
    void openTunnel(upgrading, machine, headers, this.#settings.stallMs).then(() => {
      this.#end({ kind: "answered" });
    });
  }

  garbled(reason: string): void {
    if (this.#isAnswered) this.#cut();
    else this.#end({ kind: "garbled", reason });
  }

  broken(): void {
    if (this.#isAnswered) this.#cut();
    else this.#end({ kind: "broken", isStale: this.#isStale });
  }

  /** Throws `Garbled` when the client's side cannot say it. */
  #writeHead(answer: AnswerHead): void {
    const { id, request, response, head, body } = this.#visit.parts;
    // As in `Visit.refuse`.
    const isUnclear = head.expectsContinue && !body.isDone;
    if (this.#settings.isLast || isUnclear) response.shouldKeepAlive = false;
    const headers = clientHeaders(answer, id, request.httpVersion === "1.1");
    try {
      response.writeHead(answer.status, answer.reason, headers);
    } catch (error) {
      throw new Garbled((error as NodeJS.ErrnoException).code ?? "head");
    }
  }

  /** Reads on when the client has taken what there is for it. */
  #awaitClient(): void {
    const { response } = this.#visit.parts;
    this.#isPaused = true;
    this.#connection!.pause();
    response.socket?.setTimeout(this.#settings.stallMs);
    response.once("drain", () => {
      this.#isPaused = false;
      response.socket?.setTimeout(0);
      if (!this.#isOver) this.#connection!.resume();
    });
  }

  /** The client learns that there is more: its connection ends without the end of the answer (F52). */
  #cut(): void {
    const { request, response } = this.#visit.parts;
    // HTTP/1.0 knows the end of an answer by that of the connection alone.
    if (request.httpVersion === "1.0") response.socket?.resetAndDestroy();
    else response.socket?.destroy();
    this.#end({ kind: "answered" });
  }

  #end(outcome: Outcome): void {
    this.#isOver = true;
    this.#visit.attendant = undefined;
    this.#stopBody?.();
    this.#stopBody = undefined;
    this.#done(outcome);
  }
}
