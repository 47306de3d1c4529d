import { type ClientRequest, type IncomingMessage, request as makeRequest } from "node:http";
import type { Socket } from "node:net";
import { answerHeaders } from "./answer-head.ts";
import { relayAnswer } from "./relay-answer.ts";
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
  /** Nothing was sent: it cannot be written down again. */
  | { readonly kind: "unwritten"; readonly reason: string }
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
 * Sends a request to a machine and passes the answer on. Never rejects.
 */
export function exchange(visit: Visit, upstream: Upstream, settings: ExchangeSettings): Promise<Outcome> {
  return new Promise<Outcome>((done) => {
    new Exchange(visit, upstream, settings, done);
  }).catch((error: Error) => ({ kind: "unwritten", reason: error.message }));
}

class Exchange implements Attendant {
  readonly #visit: Visit;
  readonly #settings: ExchangeSettings;
  readonly #done: (outcome: Outcome) => void;
  readonly #outgoing: ClientRequest;
  #isConnected = false;
  #isAnswered = false;
  #stopBody: (() => void) | undefined;

  constructor(
    visit: Visit,
    upstream: Upstream,
    settings: ExchangeSettings,
    done: (outcome: Outcome) => void,
  ) {
    this.#visit = visit;
    this.#settings = settings;
    this.#done = done;
    this.#outgoing = makeRequest({
      agent: upstream.connections,
      method: visit.parts.request.method!,
      path: visit.parts.head.target,
      headers: visit.parts.headers,
      setHost: false,
    });
    this.#listen(this.#outgoing);
    if (visit.parts.head.body === "none") this.#outgoing.end();
  }

  #listen(outgoing: ClientRequest): void {
    const { head, response, upgrading } = this.#visit.parts;
    this.#visit.attendant = this;
    outgoing.once("socket", (socket) => {
      if (socket.connecting) socket.once("connect", () => this.#connected());
      else this.#connected();
    });
    outgoing.once("response", (answer) => this.#relay(answer));
    outgoing.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
    outgoing.on("information", ({ statusCode, headers: { link } }) => {
      if (statusCode === 103 && link !== undefined) this.#hint(link);
    });
    if (head.expectsContinue) outgoing.once("continue", () => response.writeContinue());
    if (upgrading !== undefined) {
      outgoing.once("upgrade", (answer, socket, head) => void this.#tunnel(answer, socket as Socket, head));
    }
  }

  left(): void {
    this.#outgoing.destroy();
    this.#end({ kind: "left" });
  }

  #connected(): void {
    const { head, body } = this.#visit.parts;
    this.#isConnected = true;
    this.#settings.connected();
    if (head.body === "none" || this.#outgoing.destroyed) return;
    this.#outgoing.flushHeaders();
    this.#stopBody = body.pumpTo(this.#outgoing);
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#isAnswered) return;
    const reason = error.code ?? error.message;
    if (!this.#isConnected) this.#end({ kind: "unconnected", reason });
    else if (reason.startsWith("HPE_")) this.#end({ kind: "garbled", reason });
    else this.#end({ kind: "broken", isStale: this.#outgoing.reusedSocket });
  }

  #relay(answer: IncomingMessage): void {
    const { response, body } = this.#visit.parts;
    const reason = this.#writeHead(answer);
    if (reason !== undefined) {
      this.#outgoing.destroy();
      this.#end({ kind: "garbled", reason });
      return;
    }
    this.#isAnswered = true;
    this.#settings.firstByte();
    relayAnswer(answer, response, this.#settings.stallMs, (how) => {
      this.#end({ kind: "answered" });
      if (body.isDone) return;
      // The machine has said all before it has heard all.
      this.#outgoing.destroy();
      if (how === "whole") body.discard();
    });
  }

  /** Writes the head of the client's answer. Returns why that cannot be done. */
  #writeHead(answer: IncomingMessage): string | undefined {
    const { id, request, response, head, body } = this.#visit.parts;
    const headers = answerHeaders(answer, id, request.httpVersion === "1.1");
    if (headers === undefined) return "Transfer-Encoding";
    // As in `Visit.refuse`.
    const isUnclear = head.expectsContinue && !body.isDone;
    if (this.#settings.isLast || isUnclear) response.shouldKeepAlive = false;
    try {
      response.writeHead(answer.statusCode!, answer.statusMessage!, headers);
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "head";
    }
  }

  #hint(link: string | string[]): void {
    const { request, response } = this.#visit.parts;
    if (request.httpVersion !== "1.1" || response.headersSent) return;
    try {
      response.writeEarlyHints({ link });
    } catch {
      // It was only a hint.
    }
  }

  async #tunnel(answer: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { id, upgrading } = this.#visit.parts;
    const headers = answerHeaders(answer, id, false);
    if (headers === undefined) {
      socket.destroy();
      return this.#end({ kind: "garbled", reason: "Transfer-Encoding" });
    }
    this.#isAnswered = true;
    this.#visit.attendant = undefined;
    this.#settings.firstByte();
    upgrading!.detach();
    await openTunnel(upgrading!, { answer, socket, head }, headers, this.#settings.stallMs);
    this.#end({ kind: "answered" });
  }

  #end(outcome: Outcome): void {
    this.#visit.attendant = undefined;
    this.#stopBody?.();
    this.#stopBody = undefined;
    this.#done(outcome);
  }
}
