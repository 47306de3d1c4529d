import { type JetStreamManager, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type DecodedEvent, decodeEvent } from "#contracts";
import { createReader } from "./read-stream.ts";
import { storedMessage } from "./stored-message.ts";

/**
 * What the server sends ahead: enough to keep the wire full, too little to make us a slow consumer. A limit in bytes would
 * say it better, but with one the client (3.4.0) asks again every 25 messages, at half the speed.
 */
const AHEAD_MESSAGES = 4_000;
/** A consumer that brings nothing for once to twice as long is given up. */
const SILENCE_MS = 1_000;
/** Consumers in a row that brought nothing, before the sequence itself is asked for. */
const MAX_FAILURES = 5;

/**
 * Takes what stands at a sequence of a log; undefined where the stream has no message there although it has later ones,
 * because the disk lost it (F18). Returns false to take no more; that sequence counts as not taken.
 */
export type TakeEvent = (decoded: DecodedEvent | undefined, sequence: number) => boolean;

/**
 * Hands the sequences `first`…`last` of a log's stream to `take`, each once and in order, as fast as the server sends: an
 * ephemeral consumer, unacknowledged, with a callback, measured at twice the rate of an iterator. Rejects when the server
 * cannot be read, or with what `take` throws.
 */
export async function replay(
  nc: NatsConnection,
  stream: string,
  first: number,
  last: number,
  take: TakeEvent,
): Promise<void> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  let next = first;
  for (let failures = 0; next <= last; ) {
    const run = new ReplayRun(next, last, take);
    try {
      await run.through(nc, jsm, stream);
    } catch (error) {
      if (run.isOver || failures >= MAX_FAILURES) throw error;
    }
    if (run.isOver) return;
    failures = run.next > next ? 0 : failures + 1;
    // The last messages of a stream may be lost too; no later one shows it then.
    for (next = run.next; next <= last && (await isMissing(jsm, stream, next)); next += 1) {
      if (!take(undefined, next)) return;
    }
  }
}

/** False also where the server cannot say so now. */
async function isMissing(jsm: JetStreamManager, stream: string, sequence: number): Promise<boolean> {
  return jsm.streams.getMessage(stream, { seq: sequence }).then(
    (message) => message === null,
    () => false,
  );
}

/** One consumer's life. */
class ReplayRun {
  readonly #last: number;
  readonly #take: TakeEvent;
  readonly #ended = Promise.withResolvers<void>();
  /** The sequence to be taken next. */
  next: number;
  /** Nothing more is to be taken at all. */
  isOver = false;
  #delivered = 0;

  constructor(first: number, last: number, take: TakeEvent) {
    this.next = first;
    this.#last = last;
    this.#take = take;
  }

  async through(nc: NatsConnection, jsm: JetStreamManager, stream: string): Promise<void> {
    const reader = await createReader(jsm, stream, this.next);
    const consumer = jetstream(nc).consumers.getConsumerFromInfo(reader);
    const messages = await consumer.consume({
      max_messages: AHEAD_MESSAGES,
      callback: (message) => this.#onMessage(message),
    });
    // Silence is no event: a consumer that was lost with its connection says nothing ever again.
    let seen = -1;
    const silence = setInterval(() => {
      if (this.#delivered === seen) this.#ended.resolve();
      seen = this.#delivered;
    }, SILENCE_MS);
    try {
      await this.#ended.promise;
    } finally {
      clearInterval(silence);
      messages.stop();
      // Not awaited: the server removes idle consumers by itself.
      void jsm.consumers.delete(stream, reader.name).catch(() => undefined);
    }
  }

  #onMessage(message: JsMsg): void {
    if (this.isOver) return;
    this.#delivered += 1;
    try {
      this.#read(message);
    } catch (error) {
      this.isOver = true;
      this.#ended.reject(error);
    }
    if (this.isOver) this.#ended.resolve();
  }

  #read(message: JsMsg): void {
    // The event says its own sequence: reading it from the delivery's subject costs a tenth of the whole replay.
    const decoded = decodeEvent(storedMessage(message));
    if (decoded.kind === "event" && decoded.event.sequence === this.next) {
      this.#pass(decoded);
      return;
    }
    const { deliverySequence, streamSequence } = message.info;
    if (deliverySequence !== this.#delivered) {
      // Lost between the server and here: the next consumer brings it.
      this.#ended.resolve();
      return;
    }
    while (this.next < streamSequence && !this.isOver) this.#pass(undefined);
    if (!this.isOver) this.#pass(decodeEvent(storedMessage(message, streamSequence)));
  }

  #pass(decoded: DecodedEvent | undefined): void {
    if (!this.#take(decoded, this.next)) this.isOver = true;
    else if (this.next === this.#last) this.isOver = true;
    this.next += 1;
  }
}
