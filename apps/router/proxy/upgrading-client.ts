import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * A client that asks to change the protocol. Node has let its connection go, so it is watched here: until the machine
 * agrees, the client gets an ordinary answer, or goes away.
 */
export class UpgradingClient {
  readonly socket: Socket;
  /** What came after the head of its request. */
  readonly head: Buffer;
  readonly response: ServerResponse;
  readonly #look: () => void;
  readonly #leave: () => void;
  #isDetached = false;

  constructor(request: IncomingMessage, socket: Socket, head: Buffer) {
    this.socket = socket;
    this.head = head;
    this.response = new ServerResponse(request);
    this.response.shouldKeepAlive = false;
    this.response.assignSocket(socket);
    this.response.once("finish", () => socket.destroySoon());
    socket.on("drain", () => this.response.emit("drain"));
    socket.on("error", () => undefined);
    // Reading shows that the client has left; what it sends meanwhile stays in the socket's bounded buffer.
    this.#look = () => void (socket.readableLength === 0 && socket.read(0));
    this.#leave = () => socket.destroy();
    socket.on("readable", this.#look).once("end", this.#leave);
  }

  /** Gives the connection to a tunnel. */
  detach(): void {
    this.#isDetached = true;
    this.response.detachSocket(this.socket);
    this.socket.off("readable", this.#look).off("end", this.#leave);
  }

  get isDetached(): boolean {
    return this.#isDetached;
  }
}

/**
 * Whether a request is treated as one for another protocol. HTTP/2 is not taken this way: whoever offers it goes on with
 * HTTP/1.1 (and nothing slips through a tunnel that one side takes for HTTP).
 */
export function isUpgrade({ method, httpVersion, headers }: IncomingMessage): boolean {
  const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  const protocol = headers.upgrade?.toLowerCase() ?? "";
  return (
    method === "GET" && httpVersion === "1.1" && !hasBody && protocol !== "" && !/\bh2c?\b/.test(protocol)
  );
}
