import { type JetStreamManager, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { createReader, readStream } from "./read-stream.ts";

/** A consumer that brings nothing for so long is given up. */
const SILENCE_MS = 2_000;
/** Few enough to be gone before the garbage collector moves them, enough not to wait for each. */
const BATCH = 256;
const AHEAD = 4_000;

/** Turns a message into something; undefined is left out. */
export type ReadMessage<T> = (message: JsMsg, sequence: number) => T | undefined;

/**
 * The messages of a stream from one sequence to another, both included, in batches as they arrive. With a callback the
 * server's pace is kept, at twice the rate of an iterator; what may have gone wrong on the way is read again the slow way.
 * Nothing holds the server back: whoever handles slowly asks for a part of the stream at a time.
 */
export async function* streamRange<T>(
  nc: NatsConnection,
  stream: string,
  first: number,
  last: number,
  read: ReadMessage<T>,
): AsyncGenerator<readonly T[]> {
  if (last < first) return;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const run = new RangeRun(first, last, read);
  yield* run.through(nc, jsm, stream);
  if (run.next > last) return;
  for await (const message of readStream(nc, stream, { fromSequence: run.next })) {
    if (message.seq > last) return;
    const item = read(message, message.seq);
    if (item !== undefined) yield [item];
  }
}

/** One consumer's life: it ends with the range, or with the first thing that is not as it should be. */
class RangeRun<T> {
  readonly #last: number;
  readonly #read: ReadMessage<T>;
  /** Before it all was handed over. */
  next: number;
  #count = 0;
  #open: T[] = [];
  readonly #full: (readonly T[])[] = [];
  #came = Promise.withResolvers<void>();
  #isOver = false;

  constructor(first: number, last: number, read: ReadMessage<T>) {
    this.next = first;
    this.#last = last;
    this.#read = read;
  }

  async *through(nc: NatsConnection, jsm: JetStreamManager, stream: string): AsyncGenerator<readonly T[]> {
    const reader = await createReader(jsm, stream, this.next);
    const consumer = jetstream(nc).consumers.getConsumerFromInfo(reader);
    const ahead = Math.min(this.#last - this.next + 1, AHEAD);
    const messages = await consumer.consume({ max_messages: ahead, callback: (each) => this.#take(each) });
    let seen = -1;
    const silence = setInterval(() => {
      if (this.#count === seen) this.#end();
      seen = this.#count;
    }, SILENCE_MS);
    try {
      while (!this.#isOver || this.#full.length > 0) {
        const batch = this.#full.shift();
        if (batch !== undefined) yield batch;
        else {
          this.#came = Promise.withResolvers();
          await this.#came.promise;
        }
      }
    } finally {
      this.#isOver = true;
      clearInterval(silence);
      messages.stop();
      // Not awaited: the server removes idle consumers by itself.
      void jsm.consumers.delete(stream, reader.name).catch(() => undefined);
    }
  }

  #take(message: JsMsg): void {
    if (this.#isOver) return;
    // Counted: reading the sequence from each delivery's subject costs a tenth of the whole.
    const sequence = this.next + this.#count;
    const item = this.#read(message, sequence);
    if (item !== undefined) this.#open.push(item);
    this.#count += 1;
    const isLast = sequence === this.#last;
    if (this.#count < BATCH && !isLast) return;
    // Where something is missing, of the stream or on the way, the count is wrong.
    if (message.info.streamSequence !== sequence) {
      this.#end();
      return;
    }
    this.#full.push(this.#open);
    this.#open = [];
    this.next = sequence + 1;
    this.#count = 0;
    if (isLast) this.#isOver = true;
    this.#came.resolve();
  }

  #end(): void {
    this.#isOver = true;
    this.#came.resolve();
  }
}
