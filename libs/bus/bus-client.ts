import type { NatsConnection } from "@nats-io/transport-node";
import type { AnswerOf, Call, CallMeta, RequestOf } from "#contracts";
import { assertNever, type Clock, Deadline, type Ids, type Result, refusal, SystemClock } from "#kernel";
import { Connectivity } from "./connectivity.ts";
import { decodeReply, encodeRequest, refusedWith } from "./envelope.ts";
import { type Heard, ReplyInbox } from "./reply-inbox.ts";

/**
 * Asks over the bus. Every question ends by its deadline in an answer or a refusal (I9); nothing is queued, nothing is
 * sent again. An answer that comes late or twice is dropped: the question is gone by then.
 */
export class BusClient {
  readonly #clock: Clock;
  readonly #connectivity: Connectivity;
  readonly #inbox: ReplyInbox;

  constructor(nc: NatsConnection, ids: Ids, clock: Clock = new SystemClock()) {
    this.#clock = clock;
    this.#connectivity = new Connectivity(nc);
    this.#inbox = new ReplyInbox(nc, ids);
  }

  /** Whether there is a connection: without one, a question waits for it until its deadline. */
  get isConnected(): boolean {
    return this.#connectivity.isUp;
  }

  /**
   * One question to one subject. Refusals of the transport itself: `unreachable`, nobody received it;
   * `deadline_exceeded`, it may or may not have been acted upon.
   */
  async call<C extends Call>(
    c: C,
    subject: string,
    body: RequestOf<C>,
    meta: CallMeta,
  ): Promise<Result<AnswerOf<C>>> {
    const deadline = new Deadline(this.#clock, meta.deadlineMs);
    const request = await this.#prepare(c, body, meta, deadline);
    if (request.kind === "refused") return request;
    const late = refusal("deadline_exceeded", `${c.verb}: no answer on ${subject} by the deadline`);
    return this.#until<Result<AnswerOf<C>>>(deadline, refusedWith(late), (end) =>
      this.#inbox.ask(subject, request.answer, (heard) => end(resultOf(c, subject, heard))),
    );
  }

  /**
   * One question to everybody on a subject. Collects answers until `isEnough` says so or the deadline passes, one
   * per answerer; refusals and answers that match no schema do not count. Empty when nobody is there.
   */
  async scatter<C extends Call>(
    c: C,
    subject: string,
    body: RequestOf<C>,
    meta: CallMeta,
    isEnough: (answers: readonly AnswerOf<C>[]) => boolean,
  ): Promise<AnswerOf<C>[]> {
    const deadline = new Deadline(this.#clock, meta.deadlineMs);
    const answers: AnswerOf<C>[] = [];
    const request = await this.#prepare(c, body, meta, deadline);
    if (request.kind === "refused") return answers;
    const seen = new Set<string>();
    return this.#until(deadline, answers, (end) =>
      this.#inbox.ask(subject, request.answer, (heard) => {
        if (heard.kind !== "answer") return end(answers);
        const { result, from } = decodeReply(c, heard.data);
        if (result.kind === "refused" || (from !== undefined && seen.has(from))) return;
        if (from !== undefined) seen.add(from);
        answers.push(result.answer);
        if (isEnough(answers)) end(answers);
      }),
    );
  }

  /** Checks and encodes a request once the connection is up, with the time that is left then. */
  async #prepare<C extends Call>(
    c: C,
    body: RequestOf<C>,
    meta: CallMeta,
    deadline: Deadline,
  ): Promise<Result<string>> {
    if (!(await this.#connectivity.up(deadline.remainingMs()))) {
      return refusedWith(refusal("unreachable", `${c.verb}: no connection to NATS; try again`));
    }
    return encodeRequest(c, body, { ...meta, deadlineMs: deadline.remainingMs() });
  }

  /** Resolves to what `begin` ends with, or to `otherwise` at the deadline; then stops what `begin` began. */
  #until<T>(deadline: Deadline, otherwise: T, begin: (end: (result: T) => void) => () => void): Promise<T> {
    return new Promise<T>((done) => {
      // What is there already is read first: that this process was busy does not make the others late.
      const late = () => setImmediate(() => end(otherwise));
      const timer = setTimeout(late, Math.max(1, deadline.remainingMs()));
      let stop: (() => void) | undefined;
      const end = (result: T) => {
        clearTimeout(timer);
        stop?.();
        done(result);
      };
      stop = begin(end);
    });
  }
}

function resultOf<C extends Call>(c: C, subject: string, heard: Heard): Result<AnswerOf<C>> {
  switch (heard.kind) {
    case "answer":
      return decodeReply(c, heard.data).result;
    case "nobody":
      return refusedWith(refusal("unreachable", `${c.verb}: nobody answers on ${subject}`));
    case "forbidden":
      return refusedWith(refusal("forbidden", `${c.verb}: these credentials may not use ${subject}`));
    case "unsent":
      return refusedWith(
        heard.isTooLarge
          ? refusal("invalid", `${c.verb}: the request is larger than NATS takes`)
          : refusal("unreachable", `${c.verb}: the connection to NATS is closed`),
      );
    default:
      return assertNever(heard);
  }
}
