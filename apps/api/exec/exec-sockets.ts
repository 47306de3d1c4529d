import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { type CallMeta, EXEC_CHUNK_BYTES, EXEC_WINDOW_BYTES, execSpecSchema } from "#contracts";
import { type Ids, type Refusal, RefusedError, refusal } from "#kernel";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import { authenticate } from "../http/bearer.guard.ts";
import { REQUEST_BUDGET_MS } from "../http/caller.ts";
import { parse } from "../http/parse.ts";
import { statusOf } from "../http/status-of.ts";
import type { Tokens } from "../tokens/tokens.ts";
import type { Execs, OpenExec } from "./execs.ts";

const PATH = /^\/v1\/apps\/([^/]+)\/machines\/([^/]+)\/exec\/stream$/;
/** A client that is there answers a ping; one whose machine went to sleep tells nobody. */
const PING_MS = 15_000;
/** What a close frame may say, and the code for an end that the client should hear of. */
const MOST_REASON_BYTES = 120;
const UNEXPECTED = 1011;

const count = z.coerce.number();
const querySchema = z.object({
  command: z.array(z.string()).min(1, "name a program"),
  stdin: z.enum(["true", "false"]).default("false"),
  tty: z.enum(["true", "false"]).default("false"),
  columns: count.default(80),
  rows: count.default(24),
  term: z.string().default("xterm"),
});

/** Whether a request wants such a socket. Others may offer to upgrade as well, and are answered as if they had not. */
export function isExecSocket({ url = "", headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket" && PATH.test(url.split("?", 1)[0]!);
}

export interface ExecSocketParts {
  readonly execs: Execs;
  readonly fleet: FleetReader;
  readonly tokens: Tokens;
  readonly ids: Ids;
  readonly onFault: (error: unknown) => void;
}

/**
 * `GET …/exec/stream`: a program's streams over a WebSocket, each message one `ExecFrame`. Whatever speaks against it is
 * said by an HTTP status before there is a socket. The program ends with the socket.
 */
export class ExecSockets {
  readonly #parts: ExecSocketParts;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    perMessageDeflate: false,
    maxPayload: 2 * EXEC_CHUNK_BYTES,
  });

  constructor(parts: ExecSocketParts) {
    this.#parts = parts;
  }

  /** For the HTTP server's `upgrade`. */
  readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", () => {}); // it closes, which is heard
    this.#upgrade(request, socket, head).catch((error: unknown) => {
      if (!(error instanceof RefusedError)) this.#parts.onFault(error);
      const inside = refusal("effect_failed", "an error inside the API: see its log");
      refuse(socket, error instanceof RefusedError ? error.refusal : inside);
    });
  };

  close(): void {
    for (const client of this.#server.clients) client.close(1001, "the API ends");
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { execs, fleet, tokens, ids } = this.#parts;
    const url = new URL(request.url ?? "", "http://api");
    const [, appName = "", machineId = ""] = PATH.exec(url.pathname) ?? [];
    const { actor } = authenticate(request.headers.authorization, tokens);
    const spec = specOf(url.searchParams);
    const located = await fleet.machineOf(appName, machineId);
    const outbox = new Outbox();
    const listener = { onFrame: outbox.send, onEnd: outbox.end };
    const open = await execs.open(located, spec, metaFor(actor, ids), listener);
    if (socket.destroyed) return open.close();
    this.#server.handleUpgrade(request, socket, head, (client) => relay(client, open, outbox));
  }
}

/** Frames on their way to a client that is not there yet, or is. */
class Outbox {
  #client: WebSocket | undefined;
  readonly #waiting: ((client: WebSocket) => void)[] = [];

  readonly send = (frame: Uint8Array): void => {
    this.#do((client) => {
      client.send(frame);
      // No more than the window is ever under way to a client that keeps to it.
      if (client.bufferedAmount > 4 * EXEC_WINDOW_BYTES)
        client.close(UNEXPECTED, "too slow, and told otherwise");
    });
  };

  readonly end = ({ message }: Refusal): void => {
    const reason = Buffer.from(message).subarray(0, MOST_REASON_BYTES).toString();
    this.#do((client) => client.close(UNEXPECTED, reason));
  };

  attach(client: WebSocket): void {
    this.#client = client;
    for (const act of this.#waiting.splice(0)) act(client);
  }

  #do(act: (client: WebSocket) => void): void {
    if (this.#client === undefined) this.#waiting.push(act);
    else act(this.#client);
  }
}

function relay(client: WebSocket, open: OpenExec, outbox: Outbox): void {
  let unflushedBytes = 0;
  let isAlive = true;
  client.on("message", (data: Buffer) => {
    open.send(data);
    unflushedBytes += data.length;
    if (unflushedBytes < EXEC_WINDOW_BYTES) return;
    // The hub has to have it before the client may send more.
    unflushedBytes = 0;
    client.pause();
    void open.flush().then(
      () => client.resume(),
      () => client.terminate(),
    );
  });
  client.on("pong", () => {
    isAlive = true;
  });
  const ping = setInterval(() => {
    if (!isAlive) client.terminate();
    isAlive = false;
    client.ping();
  }, PING_MS);
  client.on("error", () => {}); // it closes, which is heard
  client.once("close", () => {
    clearInterval(ping);
    open.close();
  });
  outbox.attach(client);
}

function specOf(query: URLSearchParams) {
  const given = { ...Object.fromEntries(query), command: query.getAll("command") };
  const { command: args, stdin, tty, columns, rows, term: name } = parse(querySchema, given, "query");
  const terminal = tty === "true" ? { terminal: { columns, rows, name } } : {};
  return parse(execSpecSchema, { args, hasStdin: stdin === "true", ...terminal }, "query");
}

function metaFor(actor: string, ids: Ids): CallMeta {
  const commandId = ids.ulid();
  return {
    commandId,
    correlationId: commandId,
    causationId: commandId,
    actor,
    deadlineMs: REQUEST_BUDGET_MS,
  };
}

/** As `RefusalFilter` says it, on a socket that no framework has. */
function refuse(socket: Duplex, reason: Refusal): void {
  const { code, message, details } = reason;
  const body = JSON.stringify({ error: message, status: code, ...(details && { details }) });
  const status = statusOf(reason);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
