import { type JetStreamManager, jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import {
  type BadEvent,
  type ControlEvent,
  type DecisionRecord,
  type DecodedEvent,
  type EncodedEvent,
  encodeEvent,
  HEADERS,
  type NewEvent,
  type RecordedEvent,
  VOCABULARY,
} from "#contracts";
import {
  type Clock,
  type Decision,
  type HybridClock,
  type Ids,
  type Position,
  RefusedError,
  refusal,
} from "#kernel";
import { API_CODES, isApiError } from "./api-errors.ts";
import { ConnectionWatch } from "./connection-watch.ts";
import { logIdOf } from "./hub-streams.ts";
import { decodeOfControl } from "./placed-event.ts";
import { readStream } from "./read-stream.ts";
import type { CommandMeta, Recorded } from "./recorded.ts";
import { CONTROL } from "./stream-names.ts";

/** For one question to the hub. */
const ANSWER_TIMEOUT_MS = 1_000;
/** What is not answered is asked, and what is not acknowledged is looked for and sent, again and again for this long. */
const DEFAULT_DEADLINE_MS = 10_000;
const RETRY_PAUSE_MS = 100;
const MAX_CONFLICTS = 20;

/** How the events of one aggregate become what is decided on. */
export interface ControlFold<S> {
  empty(): S;
  evolve(state: S, event: ControlEvent): S;
}

export interface ControlLogSettings<S> {
  readonly clock: Clock;
  readonly hybridClock: HybridClock;
  readonly ids: Ids;
  readonly fold: ControlFold<S>;
  /** How long to insist on an answer; 10 s when left out. */
  readonly deadlineMs?: number;
}

/** An aggregate of CONTROL as it stands. */
export interface Aggregate<S> {
  readonly state: S;
  /** The sequence in CONTROL of its last event; 0 for none. */
  readonly sequence: number;
  /** Events of it that cannot be read. What is decided without them may be wrong. */
  readonly bad: readonly BadEvent[];
}

export type Appended =
  | { readonly kind: "appended"; readonly event: RecordedEvent<ControlEvent> }
  /** Somebody else appended to the aggregate first: load it and decide again. */
  | { readonly kind: "conflict" };

/** CONTROL does not answer. Whether the last event stands in it is not known: nothing may be done on its strength (I2). */
export class ControlUnavailableError extends RefusedError {
  constructor(cause: unknown) {
    const message = `CONTROL at the hub does not answer (${String(cause)}): try again`;
    super(refusal("unreachable", message, { retryAfterMs: 1_000 }));
    this.name = "ControlUnavailableError";
  }
}

/** CONTROL as a place to decide: many writers, each append guarded by the last sequence of its aggregate's subject. */
export class ControlLog<S> {
  readonly #nc: NatsConnection;
  readonly #settings: ControlLogSettings<S>;
  /** Asked for once per connection: a hub that lost its disk comes back with another CONTROL. */
  #logId: Promise<string> | undefined;

  constructor(nc: NatsConnection, settings: ControlLogSettings<S>) {
    this.#nc = nc;
    this.#settings = settings;
    new ConnectionWatch(nc, () => {
      this.#logId = undefined;
    });
  }

  /**
   * Decides on one aggregate and appends what was decided; decides again when somebody else was faster. The first guess
   * is an aggregate without events: where it is right, as for all that is made anew, one question does instead of two,
   * and where it is wrong CONTROL does not take the append. Refuses with `busy` when others are faster too often, and
   * with `unsupported` when the aggregate holds an event that cannot be read. Throws `ControlUnavailableError`.
   */
  async transact(
    subject: string,
    decide: (state: S) => Decision<ControlEvent>,
    meta: CommandMeta,
    made?: Pick<DecisionRecord, "command" | "inputs">,
  ): Promise<Recorded<ControlEvent>> {
    const guess = decide(this.#settings.fold.empty());
    if (guess.kind === "accepted") {
      const appended = await this.append(this.#stamp(subject, guess.event, meta, made), 0);
      if (appended.kind === "appended") return acceptedAs(appended.event);
    }
    let position: Position = {};
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const { log, aggregate } = await this.#read(subject);
      position = { [log]: aggregate.sequence };
      const [bad] = aggregate.bad;
      if (bad !== undefined) {
        const message = `${subject} holds an event that this version cannot read (${bad.reason}: ${bad.detail})`;
        return { kind: "refused", refusal: refusal("unsupported", message), position };
      }
      const decision = decide(aggregate.state);
      if (decision.kind !== "accepted") return { ...decision, position };
      const event = this.#stamp(subject, decision.event, meta, made);
      const appended = await this.#append(log, event, aggregate.sequence);
      if (appended.kind === "appended") return acceptedAs(appended.event);
      await this.#settings.clock.sleep(this.#settings.ids.random() * RETRY_PAUSE_MS);
    }
    const reason = refusal("busy", `${subject} is being changed all the time: try again`, {
      retryAfterMs: 1_000,
    });
    return { kind: "refused", refusal: reason, position };
  }

  /** The aggregate on `subject`, folded from its events. */
  async load(subject: string): Promise<Aggregate<S>> {
    return (await this.#read(subject)).aggregate;
  }

  /**
   * Appends `event` if `expectedSequence` is still the last sequence of its subject (0: it has no events). When an ack is
   * lost the log is read: it says whether the event stands there. Throws `ControlUnavailableError` when it cannot be read either.
   */
  async append(event: NewEvent<ControlEvent>, expectedSequence: number): Promise<Appended> {
    return this.#append(await this.#log(), event, expectedSequence);
  }

  /** Everything that stands in CONTROL from a sequence on. */
  async *all(fromSequence = 1): AsyncGenerator<DecodedEvent> {
    const log = await this.#log();
    for await (const message of readStream(this.#nc, CONTROL, { fromSequence })) {
      yield decodeOfControl(log, message);
    }
  }

  async #read(subject: string): Promise<{ readonly log: string; readonly aggregate: Aggregate<S> }> {
    const [log, messages] = await this.#insist((jsm) =>
      Promise.all([controlLogOf(jsm), messagesOf(jsm, subject)]),
    );
    this.#logId = Promise.resolve(log);
    const bad: BadEvent[] = [];
    let state = this.#settings.fold.empty();
    for (const message of messages) {
      const decoded = decodeOfControl(log, arrived(message));
      if (decoded.kind === "bad") {
        bad.push(decoded);
        continue;
      }
      this.#settings.hybridClock.merge(decoded.event.header.clock);
      state = this.#settings.fold.evolve(state, decoded.event as RecordedEvent<ControlEvent>);
    }
    return { log, aggregate: { state, sequence: messages.at(-1)?.seq ?? 0, bad } };
  }

  #log(): Promise<string> {
    this.#logId ??= this.#insist((jsm) => controlLogOf(jsm)).catch((error) => {
      this.#logId = undefined;
      throw error;
    });
    return this.#logId;
  }

  #stamp(
    subject: string,
    event: ControlEvent,
    meta: CommandMeta,
    made?: Pick<DecisionRecord, "command" | "inputs">,
  ): NewEvent<ControlEvent> {
    const { ids, hybridClock } = this.#settings;
    const header = {
      id: ids.ulid(),
      version: VOCABULARY.currentVersionOf(event.type),
      clock: hybridClock.tick(),
      causationId: meta.commandId,
      correlationId: meta.correlationId,
      actor: meta.actor,
    };
    const decision = made === undefined ? {} : { decision: { ...made, commandId: meta.commandId } };
    return { ...event, subject, header, ...decision };
  }

  /**
   * Sends until it is known what became of the event. Its id and its expectation make a repeat harmless, also while an
   * attempt before it is still on its way.
   */
  async #append(log: string, event: NewEvent<ControlEvent>, expectedSequence: number): Promise<Appended> {
    const encoded = encodeEvent(event, { log });
    const found = await this.#insist((jsm) => sendOrFind(jsm, encoded, expectedSequence));
    return found === "conflict"
      ? { kind: "conflict" }
      : { kind: "appended", event: { ...event, log, sequence: found } };
  }

  /** Does something until it works. Throws `ControlUnavailableError` when it does not in time. */
  async #insist<T>(attempt: (jsm: JetStreamManager) => Promise<T>): Promise<T> {
    const { clock, deadlineMs = DEFAULT_DEADLINE_MS } = this.#settings;
    const jsm = await jetstreamManager(this.#nc, { checkAPI: false, timeout: ANSWER_TIMEOUT_MS });
    const untilMs = clock.monotonicMs() + deadlineMs;
    for (;;) {
      try {
        return await attempt(jsm);
      } catch (error) {
        if (clock.monotonicMs() > untilMs || this.#nc.isClosed()) throw new ControlUnavailableError(error);
        await clock.sleep(RETRY_PAUSE_MS);
      }
    }
  }
}

function acceptedAs(event: RecordedEvent<ControlEvent>): Recorded<ControlEvent> {
  return { kind: "accepted", event, position: { [event.log]: event.sequence } };
}

/** One attempt to append: the event's sequence, or "conflict". Throws when it stands nowhere, or nobody knows. */
async function sendOrFind(
  jsm: JetStreamManager,
  encoded: EncodedEvent,
  expectedSequence: number,
): Promise<number | "conflict"> {
  try {
    const expect = { streamName: CONTROL, lastSubjectSequence: expectedSequence };
    const options = { headers: carried(encoded), expect };
    return (await jsm.jetstream().publish(encoded.subject, encoded.body, options)).seq;
  } catch (error) {
    // Refused, or no word: the log itself says what follows the expected sequence.
    const next = await nextOn(jsm, encoded.subject, expectedSequence + 1);
    if (next?.header.get(HEADERS.id) === encoded.headers[HEADERS.id]) return next!.seq;
    if (next !== null || isApiError(error, API_CODES.wrongLastSequence)) return "conflict";
    throw error;
  }
}

async function controlLogOf(jsm: JetStreamManager): Promise<string> {
  return logIdOf(await jsm.streams.info(CONTROL));
}

/** All messages on a subject, one by one: an aggregate of CONTROL has few, and the leader answers with the latest. */
async function messagesOf(jsm: JetStreamManager, subject: string): Promise<StoredMsg[]> {
  const messages: StoredMsg[] = [];
  for (let from = 1; ; from = messages.at(-1)!.seq + 1) {
    const message = await nextOn(jsm, subject, from);
    if (message === null) return messages;
    messages.push(message);
  }
}

/** The first message on a subject at `seq` or after it. */
function nextOn(jsm: JetStreamManager, subject: string, seq: number): Promise<StoredMsg | null> {
  // The client's types know this question for direct gets only.
  const question = { seq, next_by_subj: subject };
  return jsm.streams.getMessage(CONTROL, question);
}

function arrived({ subject, header, data, seq }: StoredMsg) {
  return { subject, headers: header, data, seq };
}

function carried(encoded: EncodedEvent) {
  const all = headers();
  for (const [name, value] of Object.entries(encoded.headers)) all.set(name, value);
  return all;
}
