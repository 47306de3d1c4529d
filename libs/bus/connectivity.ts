import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Whether a connection is up. The client drops or delays what is published while it is down; a command must do
 * neither, so it is not published then.
 */
export class Connectivity {
  #up: boolean;
  readonly #waiting = new Set<() => void>();

  constructor(nc: NatsConnection) {
    this.#up = nc.info !== undefined;
    void this.#follow(nc);
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Resolves to true once the connection is up, to false after `timeoutMs`. */
  async up(timeoutMs: number): Promise<boolean> {
    if (this.#up) return true;
    return new Promise<boolean>((done) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        done(this.#up);
      };
      const timer = setTimeout(end, timeoutMs);
      this.#waiting.add(end);
    });
  }

  async #follow(nc: NatsConnection): Promise<void> {
    for await (const { type } of nc.status()) {
      if (type === "disconnect" || type === "close") this.#up = false;
      if (type !== "reconnect" && type !== "close") continue;
      this.#up = type === "reconnect";
      for (const end of [...this.#waiting]) end();
    }
  }
}
