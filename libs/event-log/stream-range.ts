import { type JetStreamManager, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { createReader, readStream } from "./read-stream.ts";

/** A consumer that brings nothing for so long is given up. */
const SILENCE_MS = 2_000;

/**
 * The messages of a stream from one sequence to another, both included, each turned into something by `read` as it arrives;
 * what is undefined is left out. All of it is in memory: ask for no more at a time. With a callback the server's pace is
 * kept, at twice the rate of an iterator; what may have gone wrong on the way is read again the slow way.
 */
export async function streamRange<T>(
  nc: NatsConnection,
  stream: string,
  first: number,
  last: number,
  read: (message: JsMsg, sequence: number) => T | undefined,
): Promise<T[]> {
  if (last < first) return [];
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return (await quickly(nc, jsm, stream, first, last, read)) ?? slowly(nc, stream, first, last, read);
}

/** Undefined when messages are missing: lost on the way, or from the stream. */
async function quickly<T>(
  nc: NatsConnection,
  jsm: JetStreamManager,
  stream: string,
  first: number,
  last: number,
  read: (message: JsMsg, sequence: number) => T | undefined,
): Promise<T[] | undefined> {
  const { promise: ended, resolve } = Promise.withResolvers<boolean>();
  const wanted = last - first + 1;
  const found: T[] = [];
  let count = 0;
  const take = (message: JsMsg) => {
    if (count === wanted) return;
    // Counted: reading the sequence from each delivery's subject costs a tenth of the whole.
    const item = read(message, first + count);
    if (item !== undefined) found.push(item);
    count += 1;
    if (count === wanted) resolve(message.info.streamSequence === last);
  };
  const reader = await createReader(jsm, stream, first);
  const consumer = jetstream(nc).consumers.getConsumerFromInfo(reader);
  const messages = await consumer.consume({ max_messages: Math.min(wanted, 4_000), callback: take });
  let seen = -1;
  const silence = setInterval(() => {
    if (count === seen) resolve(false);
    seen = count;
  }, SILENCE_MS);
  try {
    return (await ended) ? found : undefined;
  } finally {
    clearInterval(silence);
    messages.stop();
    // Not awaited: the server removes idle consumers by itself.
    void jsm.consumers.delete(stream, reader.name).catch(() => undefined);
  }
}

async function slowly<T>(
  nc: NatsConnection,
  stream: string,
  first: number,
  last: number,
  read: (message: JsMsg, sequence: number) => T | undefined,
): Promise<T[]> {
  const found: T[] = [];
  for await (const message of readStream(nc, stream, { fromSequence: first })) {
    if (message.seq > last) break;
    const item = read(message, message.seq);
    if (item !== undefined) found.push(item);
  }
  return found;
}
