import type { JetStreamManager } from "@nats-io/jetstream";
import { createInbox, headers, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { type EncodedEvent, HEADERS } from "#contracts";
import type { Clock } from "#kernel";
import { API_CODES, isApiError } from "./api-errors.ts";
import { type AppendOutcome, readAppendAck } from "./append-ack.ts";
import { ConnectionWatch } from "./connection-watch.ts";
import { FencedError, LogFullError, LogUnavailableError } from "./log-errors.ts";
import type { LogRoom } from "./log-room.ts";
import { type LogEnd, type ReadBack, readBack } from "./read-back.ts";

export interface AppenderSettings {
  readonly stream: string;
  /** What the stream takes, as long as it is the present log. */
  readonly subject: string;
  /** Appends sent and not acknowledged. */
  readonly maxInFlight: number;
  /** Appends that wait behind those; more are refused. */
  readonly maxWaiting: number;
  /** Silence after which the stream itself is asked what it holds. */
  readonly ackTimeoutMs: number;
  readonly room: LogRoom | undefined;
  readonly clock: Clock;
  /** Each append, in order, once it is acknowledged. */
  readonly onAppended: (message: EncodedEvent, sequence: number) => void;
  /** The server reads well and yet acknowledges nothing: its store has failed, and only a restart of it helps. */
  readonly onStuck: (detail: string) => void;
}

interface Entry extends LogEnd {
  /** Id of the event before it, "" for the log's first. */
  readonly previousId: string;
  readonly message: EncodedEvent;
  readonly settled: PromiseWithResolvers<number>;
  outcome?: AppendOutcome;
}

const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 1_000;
/** Kept free for the headers of an append. */
const HEADERS_SIZE = 1_024;
/** Sending the head of the queue in vain this often, with reads answered in between, is no accident. */
const STUCK_ATTEMPTS = 2;

/**
 * The one writer of a stream. Many appends are under way at once; each expects the stream's last sequence *and* the id
 * of the event there. The sequence alone is no fence for a pipeline: where another writer's event takes place n, our
 * n + 1 that is under way already would follow it. A lost answer is never taken for a failure: the stream is read (I1).
 */
export class Appender {
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #settings: AppenderSettings;
  readonly #inbox: string;
  readonly #acks: Subscription;
  readonly #connection: ConnectionWatch;
  /** All that is not acknowledged, in order; the first `#sent` of them are under way. */
  readonly #queue: Entry[] = [];
  readonly #awaited = new Map<string, Entry>();
  #sent = 0;
  #sends = 0;
  #end: LogEnd;
  #last: LogEnd;
  #vainAttempts = 0;
  #resolving = false;
  #closed: FencedError | LogUnavailableError | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(nc: NatsConnection, jsm: JetStreamManager, end: LogEnd, settings: AppenderSettings) {
    this.#nc = nc;
    this.#jsm = jsm;
    this.#settings = settings;
    this.#end = end;
    this.#last = end;
    this.#inbox = createInbox(jsm.getOptions().watcherPrefix);
    this.#acks = nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onAck(message.subject, readAppendAck(message));
      },
    });
    // A broken connection loses answers: no need to wait for the silence.
    this.#connection = new ConnectionWatch(nc, () => {
      if (this.#sent > 0) this.#doubt();
    });
  }

  /** The last acknowledged append. */
  get end(): LogEnd {
    return this.#end;
  }

  /** Resolves when the server can be asked. */
  up(): Promise<void> {
    return this.#connection.up();
  }

  /** Where the next append will stand. */
  get nextSequence(): number {
    return this.#last.sequence + 1;
  }

  /**
   * Takes an append that was encoded for `nextSequence`. Throws when it does not take it; then nothing has changed. The
   * promise resolves to the sequence once it is stored, and rejects when it is certain not to follow what stands there.
   */
  take(message: EncodedEvent): Promise<number> {
    this.#admit(message);
    const entry: Entry = {
      sequence: this.nextSequence,
      eventId: message.headers[HEADERS.id] ?? "",
      previousId: this.#last.eventId,
      message,
      settled: Promise.withResolvers(),
    };
    this.#queue.push(entry);
    this.#last = entry;
    this.#pump();
    return entry.settled.promise;
  }

  /** Stops for good. What is not acknowledged is rejected: whether it was stored is for the next writer to read. */
  close(reason: FencedError | LogUnavailableError = new LogUnavailableError("it was closed")): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#endSilence();
    if (!this.#nc.isClosed()) this.#acks.unsubscribe();
    this.#rejectAll(reason);
  }

  #admit(message: EncodedEvent): void {
    if (this.#nc.isClosed() || this.#nc.isDraining()) this.close();
    if (this.#closed !== undefined) throw this.#closed;
    const largest = (this.#nc.info?.max_payload ?? Number.POSITIVE_INFINITY) - HEADERS_SIZE;
    if (Buffer.byteLength(message.body) > largest) {
      throw new RangeError(`an event of ${message.body.length} bytes is larger than the ${largest} that fit`);
    }
    const { maxInFlight, maxWaiting, room } = this.#settings;
    if (this.#queue.length >= maxInFlight + maxWaiting) {
      throw new LogUnavailableError(`${this.#queue.length} appends are waiting already`);
    }
    const shortage = room?.shortage();
    if (shortage !== undefined) throw new LogFullError(shortage);
  }

  #pump(): void {
    if (this.#resolving || this.#closed !== undefined) return;
    // What is sent into a broken connection is lost, and nobody says so.
    if (!this.#connection.isUp && this.#queue.length > 0) {
      this.#doubt();
      return;
    }
    while (this.#sent < this.#queue.length && this.#sent < this.#settings.maxInFlight) {
      this.#send(this.#queue[this.#sent]!);
      this.#sent += 1;
    }
    this.#watchSilence();
  }

  #send(entry: Entry): void {
    const sent = headers();
    sent.set(HEADERS.id, entry.eventId);
    sent.set("Nats-Expected-Last-Sequence", String(entry.sequence - 1));
    if (entry.previousId !== "") sent.set("Nats-Expected-Last-Msg-Id", entry.previousId);
    else sent.set("Nats-Expected-Stream", this.#settings.stream);
    this.#sends += 1;
    const reply = `${this.#inbox}.${this.#sends}`;
    this.#awaited.set(reply, entry);
    this.#nc.publish(entry.message.subject, entry.message.body, { headers: sent, reply });
  }

  #onAck(reply: string, outcome: AppendOutcome): void {
    const entry = this.#awaited.get(reply);
    if (entry === undefined) return;
    this.#awaited.delete(reply);
    if (outcome.kind === "stored" && outcome.sequence === entry.sequence) {
      this.#endSilence();
      this.#landed(entry.sequence);
      this.#pump();
    } else {
      entry.outcome = outcome;
      this.#doubt();
    }
  }

  /** All up to that sequence are stored. */
  #landed(upTo: number): void {
    const count = Math.max(0, upTo - this.#end.sequence);
    for (const entry of this.#queue.splice(0, count)) {
      this.#end = { sequence: entry.sequence, eventId: entry.eventId };
      this.#sent = Math.max(0, this.#sent - 1);
      this.#vainAttempts = 0;
      entry.settled.resolve(entry.sequence);
      this.#settings.onAppended(entry.message, entry.sequence);
    }
  }

  #watchSilence(): void {
    if (this.#sent === 0) this.#endSilence();
    else this.#silence ??= setTimeout(() => this.#doubt(), this.#settings.ackTimeoutMs);
  }

  #endSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  /** Something is not as expected: stops sending, and asks the stream what it holds until it says so. */
  #doubt(): void {
    if (this.#resolving || this.#closed !== undefined) return;
    this.#resolving = true;
    this.#endSilence();
    void this.#resolve().finally(() => {
      this.#resolving = false;
      this.#pump();
    });
  }

  async #resolve(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (; this.#closed === undefined; pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 2)) {
      try {
        await this.#connection.up();
        if (this.#nc.isClosed()) return this.close();
        const { stream, subject } = this.#settings;
        const sent = this.#queue.slice(0, this.#sent);
        const found = readBack(this.#jsm, stream, subject, this.#end, sent);
        await this.#conclude(await Promise.race([found, this.#connection.lost()]));
        return;
      } catch (error) {
        if (isApiError(error, API_CODES.streamNotFound)) {
          return this.close(new FencedError("its stream is gone"));
        }
        await this.#settings.clock.sleep(pauseMs);
      }
    }
  }

  async #conclude({ landedUpTo, broken }: ReadBack): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#awaited.clear();
    // Answers that were only late may have come while the stream was read.
    this.#landed(landedUpTo);
    this.#sent = 0;
    if (broken !== undefined) return this.close(new FencedError(broken));
    const head = this.#queue[0];
    if (head === undefined) return;
    const failure = this.#failureOf(head);
    if (failure !== undefined) return this.#giveUp(failure);
    delete head.outcome;
    this.#vainAttempts += 1;
    if (this.#vainAttempts === STUCK_ATTEMPTS) {
      this.#settings.onStuck(`sequence ${head.sequence} was sent ${STUCK_ATTEMPTS} times without an answer`);
    }
    await this.#settings.clock.sleep(Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#vainAttempts - 1)));
  }

  /** Why the head of the queue, which is not in the stream, will not be sent again. */
  #failureOf(head: Entry): LogFullError | LogUnavailableError | undefined {
    const shortage = this.#settings.room?.shortage();
    if (shortage !== undefined) return new LogFullError(shortage);
    if (head.outcome?.kind === "full") return new LogFullError(head.outcome.detail);
    if (head.outcome?.kind === "rejected") return new LogUnavailableError(head.outcome.detail);
    return undefined;
  }

  /** What waits was decided on top of what failed: all of it fails. What is under way still cannot follow another event. */
  #giveUp(failure: LogFullError | LogUnavailableError): void {
    this.#last = this.#end;
    this.#vainAttempts = 0;
    this.#rejectAll(failure);
  }

  #rejectAll(reason: Error): void {
    this.#sent = 0;
    this.#awaited.clear();
    for (const entry of this.#queue.splice(0)) entry.settled.reject(reason);
  }
}
