import { type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  type AnyEvent,
  type DecodedEvent,
  type EncodedEvent,
  encodeEvent,
  HEADERS,
  type NewEvent,
  subjects,
} from "#contracts";
import type { Clock, Ids } from "#kernel";
import { Appender } from "./appender.ts";
import { type FoundLog, foundIn, openHostStream, retireHostStream } from "./host-streams.ts";
import { liveMessage } from "./live-message.ts";
import { LogUnavailableError } from "./log-errors.ts";
import { LogReader, type PlacedMessage } from "./log-reader.ts";
import { LogRoom } from "./log-room.ts";
import type { LogEnd } from "./read-back.ts";
import { parseHostStream } from "./stream-names.ts";

export interface HostLogSettings {
  readonly hostId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Id of the log that was written last, as a checkpoint tells: a leaf that has no log at all has lost that one. */
  readonly knownLogId?: string;
  /** Where the log's bytes lie, and how many of them are to stay free. Without it nobody watches the disk. */
  readonly disk?: { readonly path: string; readonly reserveBytes: number };
  readonly maxInFlight?: number;
  readonly maxWaiting?: number;
  readonly ackTimeoutMs?: number;
  /** The leaf acknowledges nothing although it answers: it must be started again (F34). */
  readonly onStuck?: (detail: string) => void;
}

export interface LogStretch {
  readonly events: PlacedMessage[];
  readonly lastSequence: number;
}

/**
 * A host's log: one stream on the host's own leaf, and the one who appends to it (I1). An appended event goes out on the
 * live feed as soon as it is acknowledged.
 */
export class HostLog {
  readonly hostId: string;
  readonly logId: string;
  readonly stream: string;
  readonly found: FoundLog;
  readonly reader: LogReader;
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #settings: HostLogSettings;
  readonly #appender: Appender;

  /** Opens the host's present log, or makes one with a new log id. Throws where the leaf does not answer. */
  static async open(nc: NatsConnection, settings: HostLogSettings): Promise<HostLog> {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const info = await openHostStream(jsm, settings.hostId, settings.ids, settings.knownLogId);
    return new HostLog(nc, jsm, settings, info, await endOf(jsm, info));
  }

  private constructor(
    nc: NatsConnection,
    jsm: JetStreamManager,
    settings: HostLogSettings,
    info: StreamInfo,
    end: LogEnd,
  ) {
    this.#nc = nc;
    this.#jsm = jsm;
    this.#settings = settings;
    this.hostId = settings.hostId;
    this.stream = info.config.name;
    this.logId = parseHostStream(this.stream)?.logId ?? "";
    this.reader = this.readerOf(this.stream);
    this.found = foundIn(info, settings.hostId);
    const { disk, clock } = settings;
    this.#appender = new Appender(nc, jsm, end, {
      stream: this.stream,
      subject: subjects.hostLog(settings.hostId),
      maxInFlight: settings.maxInFlight ?? 256,
      maxWaiting: settings.maxWaiting ?? 4_096,
      ackTimeoutMs: settings.ackTimeoutMs ?? 5_000,
      room: disk === undefined ? undefined : new LogRoom(disk.path, disk.reserveBytes, clock),
      clock,
      onAppended: (message) => this.#publishLive(message),
      onStuck: settings.onStuck ?? (() => undefined),
    });
  }

  /** The last acknowledged event. */
  get end(): LogEnd {
    return this.#appender.end;
  }

  get lastSequence(): number {
    return this.#appender.end.sequence;
  }

  /** Resolves when the leaf can be asked: at once, as a rule. */
  up(): Promise<void> {
    return this.#appender.up();
  }

  /** Where the next append will stand. */
  get nextSequence(): number {
    return this.#appender.nextSequence;
  }

  /**
   * Appends an event; many may be under way, they are written in the order of the calls. Resolves to its sequence once
   * it is stored. Rejects with `FencedError` for good, with `LogFullError` or `LogUnavailableError` when it was not
   * written; then nothing that was appended after it was written either.
   */
  async append(event: NewEvent): Promise<number> {
    return this.take(event);
  }

  /** As `append`, but throws at once where the log does not take the event: then nothing has changed. */
  take<E extends AnyEvent>(event: NewEvent<E>): Promise<number> {
    return this.#appender.take(encodeEvent(event, { log: this.logId, sequence: this.nextSequence }));
  }

  /** The events that stand in the log from a sequence on, good and bad, in order. */
  read(fromSequence = 1): AsyncGenerator<DecodedEvent> {
    return this.reader.read(fromSequence);
  }

  /** A stretch of the log as messages: for readers elsewhere that miss some (F06). At most `limit` of them. */
  async stretch(fromSequence: number, limit: number): Promise<LogStretch> {
    const events = await this.reader.messages(fromSequence, limit);
    return { events, lastSequence: this.lastSequence };
  }

  /** Reads a log that this host wrote before, while its stream is kept. */
  readerOf(stream: string): LogReader {
    return new LogReader(this.#nc, this.#jsm, stream);
  }

  /**
   * Ends this log: the stream is kept aside, and takes nothing more. The next `open` makes its successor. Safe to repeat
   * and to be interrupted at any point.
   */
  async retire(reason: string): Promise<void> {
    this.close();
    await retireHostStream(this.#jsm, this.hostId, this.logId, reason);
  }

  /** Ends this log and opens its successor. */
  async reopen(reason: string): Promise<HostLog> {
    await this.retire(reason);
    return HostLog.open(this.#nc, this.#settings);
  }

  /** Stops appending. What is not acknowledged is rejected. */
  close(): void {
    this.#appender.close(new LogUnavailableError("it was closed"));
  }

  /** Behind whatever the ack sets in motion: an append that waits for the disk goes out before. */
  #publishLive(message: EncodedEvent): void {
    setImmediate(() => {
      if (this.#nc.isClosed()) return;
      const { headers, body } = liveMessage(message);
      this.#nc.publish(subjects.live(this.hostId), body, { headers });
    });
  }
}

async function endOf(jsm: JetStreamManager, info: StreamInfo): Promise<LogEnd> {
  const sequence = info.state.last_seq;
  if (sequence === 0) return { sequence, eventId: "" };
  const last = await jsm.streams.getMessage(info.config.name, { seq: sequence });
  return { sequence, eventId: last?.header.get(HEADERS.id) ?? "" };
}
