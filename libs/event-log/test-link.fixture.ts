import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A wire between a client and its server that can lose what the server answers: what a client sent arrives, and it never
 * learns so.
 */
export class TestLink {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #deaf = false;

  static async to(port: number): Promise<TestLink> {
    const link = new TestLink(port);
    await new Promise<void>((done) => link.#server.listen(0, "127.0.0.1", done));
    return link;
  }

  private constructor(port: number) {
    this.#server = createServer((client) => this.#join(client, connect(port, "127.0.0.1")));
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the link does not listen");
    return `nats://127.0.0.1:${address.port}`;
  }

  /** From now on the answers of the server are lost. */
  loseAnswers(): void {
    this.#deaf = true;
  }

  /** Breaks the present connections; the next ones work. */
  break(): void {
    this.#deaf = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.break();
    await new Promise((done) => this.#server.close(done));
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      if (!this.#deaf) client.write(bytes);
    });
    for (const socket of pair) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        for (const other of pair) other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
