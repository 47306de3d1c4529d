import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { WebSocket } from "ws";

/** How an attempt to open a socket failed: the server's answer, or undefined status when there was none. */
export class SocketRefusedError extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`answered ${status}`);
    this.name = "SocketRefusedError";
    this.status = status;
    this.body = body;
  }
}

/** Opens a WebSocket. Rejects with `SocketRefusedError` when the server answers with anything else. */
export async function openSocket(
  url: string,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers, handshakeTimeout: timeoutMs, perMessageDeflate: false });
  return new Promise((done, fail) => {
    socket.once("open", () => {
      // What arrives before somebody listens would be lost.
      socket.pause();
      done(socket);
    });
    socket.once("error", fail);
    socket.once("unexpected-response", (_request, response: IncomingMessage) => {
      text(response).then((body) => fail(new SocketRefusedError(response.statusCode ?? 0, body)), fail);
    });
  });
}
