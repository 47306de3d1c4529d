import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RefusedError, refusal } from "#kernel";
import type { ProxyLimits } from "./limits.ts";
import { type Refused, refusedAnswer } from "./refused.ts";
import { isUpgrade, UpgradingClient } from "./upgrading-client.ts";

/** Told of a request whose head the parser took. */
export type Arrival = (
  request: IncomingMessage,
  response: ServerResponse,
  upgrading: UpgradingClient | undefined,
) => void;

/** How often clients that are slow with their heads are looked for. */
const SLOW_CHECK_MS = 1_000;
/** Silence after which the kernel asks whether a client is still there. */
const PROBE_AFTER_MS = 30_000;
/** How long a client whose bytes were no HTTP may take to read that. */
const LAST_WORD_MS = 1_000;

/**
 * The side that clients see: node's HTTP/1.1 server with its strict parser, bounds on heads, time and connections, one
 * request of a connection at a time, and typed answers to what is no HTTP (F51).
 */
export class EdgeServer {
  readonly #server: Server;
  readonly #arrived: Arrival;
  readonly #refused: (status: number) => void;
  /** The answer that each connection is at. */
  readonly #answering = new WeakMap<Duplex, ServerResponse>();
  readonly #upgraded = new Set<Duplex>();

  /** `refused` is told the status of what is answered here already. */
  constructor(limits: ProxyLimits, arrived: Arrival, refused: (status: number) => void) {
    this.#arrived = arrived;
    this.#refused = refused;
    this.#server = makeServer(limits);
    const inTurn = (request: IncomingMessage, response: ServerResponse) => this.#inTurn(request, response);
    this.#server.on("request", inTurn).on("checkContinue", inTurn).on("checkExpectation", inTurn);
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on("connect", (_, socket) => this.#answer(socket as Socket, NO_FORWARD_PROXY));
    this.#server.on("clientError", (error, socket) => this.#clientError(error, socket as Socket));
  }

  /** Throws a refusal `port_taken` when somebody else listens there. Resolves to the port. */
  async listen(at: { readonly host: string; readonly port: number }): Promise<number> {
    const server = this.#server;
    await new Promise<void>((done, fail) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const taken = refusal("port_taken", `${at.host}:${at.port} is taken by another process`);
        fail(error.code === "EADDRINUSE" ? new RefusedError(taken) : error);
      });
      server.listen(at.port, at.host, done);
    });
    const address = server.address();
    return address !== null && typeof address === "object" ? address.port : at.port;
  }

  /** Takes no new connections and closes those that rest. Resolves when the last one has ended. */
  async close(): Promise<void> {
    const tunnels = [...this.#upgraded].map((socket) => new Promise((done) => socket.once("close", done)));
    await Promise.all([new Promise((done) => this.#server.close(done)), ...tunnels]);
  }

  /** Cuts what is still open. */
  cut(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** What a client sends before it has the answer to an earlier request waits for that, in the order in which it came. */
  #inTurn(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const before = this.#answering.get(socket);
    this.#answering.set(socket, response);
    if (before === undefined || before.writableFinished) {
      this.#arrived(request, response, undefined);
      return;
    }
    socket.pause();
    before.once("close", () => {
      if (socket.destroyed) return;
      socket.resume();
      this.#arrived(request, response, undefined);
    });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#isAnswering(socket)) {
      socket.destroy();
      return;
    }
    const client = new UpgradingClient(request, socket, head);
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    this.#arrived(request, client.response, client);
  }

  /** Words for the client, unless they would be taken for part of another answer. */
  #clientError(error: ParseError, socket: Socket): void {
    const isSilent = socket.bytesRead === 0 || error.code === "ECONNRESET" || !socket.writable;
    const isLast = this.#answering.get(socket)?.shouldKeepAlive === false;
    if (isSilent || isLast || this.#isAnswering(socket)) socket.destroy();
    else this.#answer(socket, faultOf(error));
  }

  #isAnswering(socket: Socket): boolean {
    return this.#answering.get(socket)?.writableFinished === false;
  }

  #answer(socket: Socket, refused: Refused): void {
    const { status, reason, headers, body } = refusedAnswer(refused);
    this.#refused(status);
    const lines = [`HTTP/1.1 ${status} ${reason}`, "Connection: close"];
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
    socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
    socket.setTimeout(LAST_WORD_MS, () => socket.destroy());
  }
}

const NO_FORWARD_PROXY: Refused = { code: "method_not_allowed", message: "this is no forward proxy" };

function makeServer(limits: ProxyLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    // Bodies may take as long as they flow: `RequestBody` watches them.
    requestTimeout: 0,
    connectionsCheckingInterval: SLOW_CHECK_MS,
    keepAliveTimeout: limits.restMs,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
    noDelay: true,
    // Both are judged with the rest of the head.
    requireHostHeader: false,
    shouldUpgradeCallback: isUpgrade,
    optimizeEmptyRequests: true,
  });
  server.maxConnections = limits.connections;
  // By default those beyond 2,000 vanish. The head is bounded by its bytes.
  server.maxHeadersCount = 0;
  return server;
}

interface ParseError extends NodeJS.ErrnoException {
  /** What the parser found. */
  readonly reason?: string;
}

function faultOf({ code, reason, message }: ParseError): Refused {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return { code: "head_too_large", message: "the head of the request is too large" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { code: "request_timeout", message: "the head of the request took too long" };
    case "HPE_PAUSED_H2_UPGRADE":
      return { code: "http_version", message: "speak HTTP/1.1 or HTTP/1.0" };
    default:
      return { code: "bad_request", message: `no HTTP/1.1: ${reason ?? message}` };
  }
}
