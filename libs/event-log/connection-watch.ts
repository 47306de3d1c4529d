import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Whether a connection is up. What is published or asked while it is down is dropped by the client in silence (3.4.0), so
 * whoever must have an answer waits for `up` and gives up at `lost`.
 */
export class ConnectionWatch {
  readonly #nc: NatsConnection;
  readonly #onLost: () => void;
  #up = Promise.withResolvers<void>();
  #lost = neverUnhandled();
  #isUp = true;

  constructor(nc: NatsConnection, onLost: () => void) {
    this.#nc = nc;
    this.#onLost = onLost;
    this.#up.resolve();
    void this.#watch();
    void nc.closed().then(() => this.#up.resolve());
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Resolves when the connection is up, or closed for good. */
  up(): Promise<void> {
    return this.#up.promise;
  }

  /** Rejects when the present connection breaks. */
  lost(): Promise<never> {
    return this.#lost.promise;
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === "reconnect") {
        this.#isUp = true;
        this.#up.resolve();
      }
      if (status.type !== "disconnect") continue;
      this.#isUp = false;
      this.#up = Promise.withResolvers();
      this.#lost.reject(new Error("disconnected"));
      this.#lost = neverUnhandled();
      this.#onLost();
    }
    this.#up.resolve();
  }
}

/** A promise that only ever rejects, and whose rejection nobody need wait for. */
function neverUnhandled(): PromiseWithResolvers<never> {
  const resolvers = Promise.withResolvers<never>();
  resolvers.promise.catch(() => undefined);
  return resolvers;
}
