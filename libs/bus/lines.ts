import type { NatsConnection, Subscription } from "@nats-io/transport-node";

/** Messages kept for a reader that is slower than what it reads; older ones are dropped (F12). */
const MOST_WAITING = 10_000;

/**
 * What arrives on one subject from now on, each message as parsed JSON: live logs and metrics. Whatever is not JSON
 * is passed over. A reader that falls behind misses the oldest, and can ask how many.
 */
export class Lines implements AsyncIterable<unknown> {
  readonly #subscription: Subscription;
  readonly #waiting: unknown[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #dropped = 0;

  private constructor(nc: NatsConnection, subject: string) {
    this.#subscription = nc.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.#take(message.data);
      },
    });
  }

  /** Resolves when the server has taken the subscription: what is sent after that is not missed. */
  static async open(nc: NatsConnection, subject: string): Promise<Lines> {
    const lines = new Lines(nc, subject);
    await nc.flush();
    return lines;
  }

  /** How many were dropped so far because nobody read them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  close(): void {
    this.#closed = true;
    this.#subscription.unsubscribe();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift();
      if (this.#closed) return;
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
  }

  #take(data: Uint8Array): void {
    const parsed = parseJson(data);
    if (parsed === undefined) return;
    this.#waiting.push(parsed);
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#wake?.();
  }
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}
