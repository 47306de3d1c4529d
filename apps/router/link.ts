import { BusClient, type BusConnection } from "#bus";
import type { AnswerOf, Call, CallMeta, RequestOf } from "#contracts";
import { type Ids, type Result, refusal } from "#kernel";

/** The router's way to the bus. It may not be there, at the start or later: nothing waits for it (I11). */
export class Link {
  readonly #ids: Ids;
  #nc: BusConnection | undefined;
  #bus: BusClient | undefined;

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  /** Takes the connection once there is one; it reconnects by itself from then on. */
  attach(nc: BusConnection): BusClient {
    this.#nc = nc;
    this.#bus = new BusClient(nc, this.#ids);
    return this.#bus;
  }

  get isUp(): boolean {
    return this.#bus?.isConnected === true;
  }

  /** Like `BusClient.call`, but refused `unreachable` at once while there is no connection. */
  async call<C extends Call>(
    c: C,
    subject: string,
    body: RequestOf<C>,
    meta: CallMeta,
  ): Promise<Result<AnswerOf<C>>> {
    if (this.#bus === undefined || !this.isUp) {
      const reason = refusal("unreachable", `${c.verb}: no connection to NATS; try again`);
      return { kind: "refused", refusal: reason };
    }
    return this.#bus.call(c, subject, body, meta);
  }

  /** Sends on plain NATS. False when there is no connection: what would arrive late is not sent. */
  publish(subject: string, message: unknown): boolean {
    if (this.#nc === undefined || !this.isUp) return false;
    this.#nc.publish(subject, JSON.stringify(message));
    return true;
  }

  /** Sends what is on its way, and ends the connection. */
  async close(): Promise<void> {
    if (this.#nc !== undefined) await (this.isUp ? this.#nc.drain() : this.#nc.close());
  }
}
