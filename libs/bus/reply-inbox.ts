import {
  InvalidArgumentError,
  type Msg,
  type NatsConnection,
  PermissionViolationError,
} from "@nats-io/transport-node";
import { subjects } from "#contracts";
import type { Ids } from "#kernel";
import { userOf } from "./connect.ts";

/** What becomes of a question before its deadline. */
export type Heard =
  | { readonly kind: "answer"; readonly data: Uint8Array }
  /** Nobody listens there: certainly nobody acted upon it. */
  | { readonly kind: "nobody" }
  /** The server did not pass it on: these credentials may not ask there. */
  | { readonly kind: "forbidden" }
  /** It did not leave: larger than the server takes, or the connection is closed. */
  | { readonly kind: "unsent"; readonly isTooLarge: boolean };

interface Question {
  readonly subject: string;
  readonly hear: (heard: Heard) => void;
}

/**
 * Where the answers to one connection's questions arrive: one subscription, a token per question. Tokens are random, not
 * counted: a host that was asked once cannot guess where the answer of another host is expected, and forge it.
 */
export class ReplyInbox {
  readonly #nc: NatsConnection;
  readonly #ids: Ids;
  readonly #prefix: string;
  readonly #questions = new Map<string, Question>();

  constructor(nc: NatsConnection, ids: Ids) {
    this.#nc = nc;
    this.#ids = ids;
    this.#prefix = `${subjects.answers(userOf(nc))}.${ids.randomHex(8)}`;
    nc.subscribe(`${this.#prefix}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
      },
    });
    void this.#watchRefusals();
  }

  /** Publishes a question. `hear` is told what comes back until the function returned is called; what comes later is dropped. */
  ask(subject: string, payload: string, hear: (heard: Heard) => void): () => void {
    const token = this.#ids.randomHex(16);
    this.#questions.set(token, { subject, hear });
    const forget = () => {
      this.#questions.delete(token);
    };
    try {
      this.#nc.publish(subject, payload, { reply: `${this.#prefix}.${token}` });
    } catch (thrown) {
      forget();
      hear({ kind: "unsent", isTooLarge: thrown instanceof InvalidArgumentError });
    }
    return forget;
  }

  #onMessage(message: Msg): void {
    const question = this.#questions.get(message.subject.slice(this.#prefix.length + 1));
    if (question === undefined) return;
    const isNobody = message.data.length === 0 && message.headers?.code === 503;
    question.hear(isNobody ? { kind: "nobody" } : { kind: "answer", data: message.data });
  }

  async #watchRefusals(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      if (operation !== "publish") continue;
      for (const question of [...this.#questions.values()]) {
        if (question.subject === subject) question.hear({ kind: "forbidden" });
      }
    }
  }
}
