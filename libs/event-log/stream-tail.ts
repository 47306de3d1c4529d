import {
  type Consumer,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { HEADERS } from "#contracts";
import type { Clock } from "#kernel";
import { createReader } from "./read-stream.ts";

/** Messages asked for at once: enough to keep the pipe full, few enough to hold in memory. */
const IN_FLIGHT = 4_000;
const HEARTBEAT_MS = 5_000;
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1_000;
/** A question that was under way when the hub died is never answered: at first it is not waited for long. */
const FIRST_TIMEOUT_MS = 1_000;
const LAST_TIMEOUT_MS = 10_000;

/** The last message that was read of a stream, and what tells it from another one that may stand there some day. */
export interface TailCursor {
  readonly sequence: number;
  readonly eventId: string;
}

export const BEGINNING: TailCursor = { sequence: 0, eventId: "" };

export interface TailListener {
  /** Following begins, or begins again. The cursor has been checked against the stream. */
  found(info: StreamInfo): void;
  /** The cursor's message is not there: the stream was created anew or lost its end. It is read from its beginning. */
  rewound(): void;
  message(message: JsMsg): void;
  /** All that stood in the stream when following began has been delivered. */
  caughtUp(): void;
  /** Nothing arrives for now: the bus, the stream or the consumer is gone. It is tried again for ever. */
  lost(reason: string): void;
  /** Asked after each message. A promise says that no more can be taken before it resolves (F12). */
  room(): Promise<void> | undefined;
}

/** The end of a consumer that nobody has room for: what it still brings is asked for again. */
const HELD_BACK = "held back";

/**
 * Follows a stream for ever with an ephemeral, unacknowledged consumer. Whatever may have cost a message (a broken
 * connection, a jump in the delivery, a missing heartbeat) ends that consumer; the next begins after the last one seen.
 */
export class StreamTail {
  readonly #nc: NatsConnection;
  readonly #clock: Clock;
  readonly #stream: string;
  readonly #listener: TailListener;
  /** The last message seen stands for its cursor: its id is read when somebody asks, headers being slow to decode. */
  #last: TailCursor | JsMsg;
  #end: ((reason: string) => void) | undefined;

  constructor(nc: NatsConnection, clock: Clock, stream: string, listener: TailListener, from = BEGINNING) {
    this.#nc = nc;
    this.#clock = clock;
    this.#stream = stream;
    this.#listener = listener;
    this.#last = from;
  }

  get cursor(): TailCursor {
    if ("eventId" in this.#last) return this.#last;
    this.#last = { sequence: this.#last.seq, eventId: this.#last.headers?.get(HEADERS.id) ?? "" };
    return this.#last;
  }

  /** Reads the stream from its beginning again. */
  rewind(): void {
    this.#last = BEGINNING;
    this.#end?.("asked to begin again");
  }

  /** Resolves when `signal` fires or the connection is closed for good. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    // A question to a hub that is away is not waited for: a process has to end in time.
    const stopped = new Promise<string>((resolve) => {
      signal.addEventListener("abort", () => resolve("stopped"), { once: true });
    });
    void stopped.then((reason) => this.#end?.(reason));
    void this.#watchConnection(signal);
    for (let failures = 0; !signal.aborted && !this.#nc.isClosed(); ) {
      await Promise.race([this.#listener.room(), stopped]);
      if (signal.aborted) return;
      const before = this.cursor;
      const timeout = Math.min(LAST_TIMEOUT_MS, FIRST_TIMEOUT_MS * 2 ** failures);
      const following = this.#follow(signal, timeout).catch((error: unknown) => String(error));
      const reason = await Promise.race([following, stopped]);
      if (signal.aborted) return;
      if (reason === HELD_BACK) continue;
      this.#listener.lost(reason);
      failures = this.cursor.sequence === before.sequence ? failures + 1 : 0;
      const pauseMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await this.#clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** One consumer's life. Resolves to the reason of its end. */
  async #follow(signal: AbortSignal, timeout: number): Promise<string> {
    const jsm = await jetstreamManager(this.#nc, { checkAPI: false, timeout });
    const info = await jsm.streams.info(this.#stream);
    await this.#checkCursor(jsm, info);
    this.#listener.found(info);
    const from = this.cursor;
    const reader = await createReader(jsm, this.#stream, from.sequence + 1);
    if (signal.aborted || this.cursor !== from) return "asked to begin again";
    if (reader.num_pending === 0) this.#listener.caughtUp();
    const consumer = jetstream(this.#nc).consumers.getConsumerFromInfo(reader);
    try {
      return await this.#consume(consumer, reader.num_pending);
    } finally {
      this.#end = undefined;
      // Not awaited: where the bus is gone nobody answers, and the server removes idle consumers by itself.
      void jsm.consumers.delete(this.#stream, reader.name).catch(() => undefined);
    }
  }

  /** A consumer that begins beyond the end of a stream waits there in silence: so look before. */
  async #checkCursor(jsm: JetStreamManager, info: StreamInfo): Promise<void> {
    const { sequence, eventId } = this.cursor;
    if (sequence === 0) return;
    const held = sequence <= info.state.last_seq;
    const there = held ? await jsm.streams.getMessage(this.#stream, { seq: sequence }) : null;
    if (there !== null && there.header.get(HEADERS.id) === eventId) return;
    this.#last = BEGINNING;
    this.#listener.rewound();
  }

  async #consume(consumer: Consumer, pending: number): Promise<string> {
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    let open = true;
    this.#end = (reason) => {
      open = false;
      resolve(reason);
    };
    let delivered = 0;
    const messages = await consumer.consume({
      max_messages: IN_FLIGHT,
      idle_heartbeat: HEARTBEAT_MS,
      callback: (message) => {
        if (!open) return;
        delivered += 1;
        if (message.info.deliverySequence !== delivered) return this.#end?.("messages were lost on the way");
        this.#last = message;
        this.#listener.message(message);
        if (delivered === pending) this.#listener.caughtUp();
        if (this.#listener.room() !== undefined) this.#end?.(HELD_BACK);
      },
    });
    void watchConsumer(messages, (reason) => this.#end?.(reason));
    const reason = await ended;
    messages.stop();
    return reason;
  }

  /** A broken connection may have cost the last messages, and no jump would show it before the next one comes. */
  async #watchConnection(signal: AbortSignal): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (signal.aborted) return;
      if (status.type === "disconnect") this.#end?.("disconnected");
    }
  }
}

async function watchConsumer(messages: ConsumerMessages, end: (reason: string) => void): Promise<void> {
  for await (const status of messages.status()) {
    switch (status.type) {
      case "heartbeats_missed":
      case "consumer_not_found":
      case "consumer_deleted":
      case "stream_not_found":
      case "no_responders":
        end(status.type);
        break;
      default:
    }
  }
  end("the consumer ended");
}
