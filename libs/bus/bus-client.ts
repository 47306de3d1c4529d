import {
  InvalidArgumentError,
  type NatsConnection,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
} from "@nats-io/transport-node";
import type { AnswerOf, Call, CallMeta, RequestOf } from "#contracts";
import { type Clock, Deadline, type Refusal, type Result, refusal, SystemClock } from "#kernel";
import { Connectivity } from "./connectivity.ts";
import { decodeReply, encodeRequest, refusedWith } from "./envelope.ts";

/**
 * Asks over the bus. Every question ends by its deadline in an answer or a refusal (I9); nothing is queued, nothing is
 * sent again. An answer that comes late or twice is dropped: the question is gone by then.
 */
export class BusClient {
  readonly #nc: NatsConnection;
  readonly #clock: Clock;
  readonly #connectivity: Connectivity;

  constructor(nc: NatsConnection, clock: Clock = new SystemClock()) {
    this.#nc = nc;
    this.#clock = clock;
    this.#connectivity = new Connectivity(nc);
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
    try {
      const reply = await this.#nc.request(subject, request.answer, { timeout: remaining(deadline) });
      return decodeReply(c, reply.data).result;
    } catch (thrown) {
      return refusedWith(refusalOf(thrown, c, subject));
    }
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
    const request = await this.#prepare(c, body, meta, deadline);
    const answers: AnswerOf<C>[] = [];
    if (request.kind === "refused") return answers;
    const heard = new Set<string>();
    try {
      const options = { strategy: "timer", maxWait: remaining(deadline) } as const;
      for await (const reply of await this.#nc.requestMany(subject, request.answer, options)) {
        const { result, from } = decodeReply(c, reply.data);
        if (result.kind === "refused" || (from !== undefined && heard.has(from))) continue;
        if (from !== undefined) heard.add(from);
        answers.push(result.answer);
        if (isEnough(answers)) break;
      }
    } catch {
      // Nobody is there, or the connection went: what was heard until then is what there is.
    }
    return answers;
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
}

function remaining(deadline: Deadline): number {
  return Math.max(1, deadline.remainingMs());
}

function refusalOf(thrown: unknown, c: Call, subject: string): Refusal {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  if (cause instanceof TimeoutError) {
    return refusal("deadline_exceeded", `${c.verb}: no answer on ${subject} by the deadline`);
  }
  if (cause instanceof NoRespondersError) {
    return refusal("unreachable", `${c.verb}: nobody answers on ${subject}`);
  }
  if (cause instanceof PermissionViolationError) {
    return refusal("forbidden", `${c.verb}: these credentials may not use ${subject}`);
  }
  if (cause instanceof InvalidArgumentError) return refusal("invalid", `${c.verb}: ${cause.message}`);
  return refusal("unreachable", `${c.verb}: ${cause instanceof Error ? cause.message : String(cause)}`);
}
