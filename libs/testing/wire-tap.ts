import { createConnection, createServer, type Server, type Socket } from "node:net";
import { WireFrames, type WireMessage } from "./wire-frames.ts";

/** A message as a tap sees it. */
export interface TappedMessage extends WireMessage {
  /** Who sends it. */
  readonly from: "client" | "server";
}

/** What becomes of a message: it arrives, is lost, arrives twice, or after so many milliseconds. */
export type Fate = "arrives" | "lost" | "twice" | { readonly lateMs: number };

/** Stands between one client and its nats-server, and decides on each message. Sees what was really sent. */
export class WireTap {
  /** For the client. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  static async open(
    target: { readonly port: number; readonly host?: string },
    fateOf: (message: TappedMessage) => Fate,
  ): Promise<WireTap> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new WireTap(server, target, fateOf);
  }

  private constructor(
    server: Server,
    { port, host = "127.0.0.1" }: { readonly port: number; readonly host?: string },
    fateOf: (message: TappedMessage) => Fate,
  ) {
    this.#server = server;
    const address = server.address() as { readonly port: number };
    this.url = `nats://127.0.0.1:${address.port}`;
    server.on("connection", (client) => {
      const upstream = createConnection(port, host);
      for (const socket of [client, upstream]) socket.setNoDelay(true);
      this.#pipe(client, upstream, (message) => fateOf({ ...message, from: "client" }));
      this.#pipe(upstream, client, (message) => fateOf({ ...message, from: "server" }));
    });
  }

  /** From now on nothing passes, as if the client had been killed: also what is on its way is lost. */
  cut(): void {
    this.#isCut = true;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pipe(from: Socket, to: Socket, fateOf: (message: WireMessage) => Fate): void {
    const frames = new WireFrames();
    this.#sockets.add(from);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on("data", (chunk) => {
      for (const frame of frames.take(chunk)) {
        if (this.#isCut) return;
        this.#send(to, frame.bytes, frame.kind === "message" ? fateOf(frame) : "arrives");
      }
    });
  }

  #send(to: Socket, bytes: Buffer, fate: Fate): void {
    const write = () => {
      if (!this.#isCut && to.writable) to.write(bytes);
    };
    if (fate === "lost") return;
    if (typeof fate === "object") {
      setTimeout(write, fate.lateMs);
      return;
    }
    write();
    if (fate === "twice") write();
  }
}
