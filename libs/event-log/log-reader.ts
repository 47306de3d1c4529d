import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type DecodedEvent, decodeEvent, type EncodedEvent, HEADERS } from "#contracts";
import { holds, type LogEnd } from "./read-back.ts";
import { readStream } from "./read-stream.ts";
import { replay, type TakeEvent } from "./replay.ts";
import { storedMessage } from "./stored-message.ts";

/** An event's message with its place: what `hostCalls.events` carries. */
export interface PlacedMessage extends EncodedEvent {
  readonly sequence: number;
}

/** Reads the stream of one log. */
export class LogReader {
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #stream: string;

  constructor(nc: NatsConnection, jsm: JetStreamManager, stream: string) {
    this.#nc = nc;
    this.#jsm = jsm;
    this.#stream = stream;
  }

  async lastSequence(): Promise<number> {
    return (await this.#jsm.streams.info(this.#stream)).state.last_seq;
  }

  /** Whether that very event stands at its sequence. */
  holds(event: LogEnd): Promise<boolean> {
    return holds(this.#jsm, this.#stream, event);
  }

  /** Id of the event at a sequence; "" at 0, undefined where nothing stands. */
  async eventIdAt(sequence: number): Promise<string | undefined> {
    if (sequence === 0) return "";
    return (await this.#messageAt(sequence))?.header.get(HEADERS.id);
  }

  /** What stands at a sequence; undefined for nothing. */
  async eventAt(sequence: number): Promise<DecodedEvent | undefined> {
    const there = await this.#messageAt(sequence);
    if (there === undefined) return undefined;
    const { subject, header, data } = there;
    return decodeEvent(storedMessage({ subject, headers: header, data }, sequence));
  }

  /** The events from a sequence to the present end, good and bad, in order. */
  async *read(fromSequence = 1): AsyncGenerator<DecodedEvent> {
    for await (const message of readStream(this.#nc, this.#stream, { fromSequence })) {
      yield decodeEvent(storedMessage(message, message.seq));
    }
  }

  /** As `read`, for whole logs: see `replay`. */
  replay(first: number, last: number, take: TakeEvent): Promise<void> {
    return replay(this.#nc, this.#stream, first, last, take);
  }

  /** At most `limit` messages from a sequence on, as they stand there. */
  async messages(fromSequence: number, limit: number): Promise<PlacedMessage[]> {
    const messages: PlacedMessage[] = [];
    for await (const message of readStream(this.#nc, this.#stream, { fromSequence })) {
      const { subject, seq: sequence } = message;
      const headers = { [HEADERS.id]: message.headers?.get(HEADERS.id) ?? "" };
      messages.push({ subject, headers, body: message.string(), sequence });
      if (messages.length >= limit) break;
    }
    return messages;
  }

  async #messageAt(sequence: number): Promise<StoredMsg | undefined> {
    return (await this.#jsm.streams.getMessage(this.#stream, { seq: sequence })) ?? undefined;
  }
}
