import { createConnection, type Socket } from "node:net";
import { fromSeed } from "@nats-io/nkeys";
import type { Credential } from "#topology";

/**
 * Speaks the leaf node protocol by hand and keeps to no permission: what a host does whose root was taken over, and
 * whose leaf server no longer holds back what the hub did not allow.
 */
export class RawLeaf {
  readonly #socket: Socket;
  #heard = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      this.#heard += chunk;
      for (const _ of String(chunk).matchAll(/^PING\r\n/gm)) this.#write("PONG\r\n");
    });
    // A server that cuts the connection is one of the answers.
    socket.on("error", () => {});
  }

  /** Connects to a server's leaf node port, `credential` left out for a stranger. Resolves once it was let in or thrown out. */
  static async connect(port: number, credential?: Credential): Promise<RawLeaf> {
    const socket = createConnection(port, "127.0.0.1");
    const leaf = new RawLeaf(socket);
    const info = JSON.parse((await leaf.#line(/^INFO (.*)\r\n/m))[1]!) as { nonce: string };
    const connect = { server_id: "rogue", name: "rogue", version: "2.15.1", domain: "rogue", headers: true };
    leaf.#write(`CONNECT ${JSON.stringify({ ...connect, ...signed(info.nonce, credential) })}\r\n`);
    await leaf.round();
    return leaf;
  }

  /** Everything that the server has sent so far. */
  get heard(): string {
    return this.#heard;
  }

  get isClosed(): boolean {
    return this.#socket.closed || this.#socket.destroyed || this.#socket.readableEnded;
  }

  subscribe(subject: string): void {
    this.#write(`LS+ ${subject}\r\n`);
  }

  publish(subject: string, body: string, reply?: string): void {
    const head = reply === undefined ? subject : `${subject} ${reply}`;
    this.#write(`LMSG ${head} ${Buffer.byteLength(body)}\r\n${body}\r\n`);
  }

  /** Resolves when the server has worked through everything that was sent, or has cut the connection. */
  async round(): Promise<void> {
    const before = this.#heard.length;
    this.#write("PING\r\n");
    while (!this.isClosed && !this.#heard.includes("PONG\r\n", before)) await this.#more();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#heard);
      if (found !== null) return found;
      if (this.isClosed) throw new Error(`the server hung up: ${this.#heard}`);
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    await new Promise<void>((done) => {
      this.#socket.once("data", () => done());
      this.#socket.once("close", () => done());
    });
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text);
  }
}

function signed(nonce: string, credential: Credential | undefined): { nkey?: string; sig?: string } {
  if (credential === undefined) return {};
  const signature = fromSeed(new TextEncoder().encode(credential.seed)).sign(new TextEncoder().encode(nonce));
  return { nkey: credential.publicKey, sig: Buffer.from(signature).toString("base64url") };
}
