import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { type CustomTransportStrategy, type MessageHandler, Server } from "@nestjs/microservices";
import { firstValueFrom, isObservable } from "rxjs";
import type { Call } from "#contracts";
import { type Clock, Deadline, type Ids, RefusedError, type Result, refusal, SystemClock } from "#kernel";
import { type CallContext, callOf } from "./answers.ts";
import { decodeRequest, encodeReply, type Request, refusedWith } from "./envelope.ts";
import { Slots } from "./slots.ts";

export interface BusServerSettings {
  readonly nc: NatsConnection;
  readonly ids: Ids;
  /** Where the questions of a verb arrive, e.g. `(verb) => subjects.hostCommand(hostId, verb)`. */
  readonly subjectOf: (verb: string) => string;
  /** Processes with the same queue share the questions; without one each process gets each of them. */
  readonly queue?: string;
  /** Handlers of one verb that run at once; 64 unless told. One verb's that wait keep no other verb waiting. */
  readonly maxConcurrent?: number;
  /** Questions of one verb that wait for a free handler; 1,024 unless told. Further ones are refused `busy`. */
  readonly maxWaiting?: number;
  /** How long a shutdown waits for running handlers; 3 s unless told. */
  readonly drainMs?: number;
  readonly clock?: Clock;
}

/**
 * Nest's way in from the bus: controllers' methods marked `@Answers(call)` answer requests on NATS.
 *
 * What reaches a handler was checked by the call's schema, and still has time: a question whose deadline passed
 * while it waited is dropped, and an answer that comes after it is not sent. Nothing is retried or queued here.
 */
export class BusServer extends Server implements CustomTransportStrategy {
  readonly #settings: BusServerSettings;
  readonly #clock: Clock;
  /** By verb. */
  readonly #slots = new Map<string, Slots>();
  readonly #name: string;
  readonly #giveUp = new AbortController();
  readonly #subscriptions: Subscription[] = [];

  constructor(settings: BusServerSettings) {
    super();
    this.#settings = settings;
    this.#clock = settings.clock ?? new SystemClock();
    this.#name = settings.ids.ulid();
  }

  /** Subscribes every marked method. Reports to `done` once the server has taken all subscriptions, or the error. */
  listen(done: (error?: unknown) => void): void {
    this.#subscribeAll().then(
      () => done(),
      (error) => done(error),
    );
  }

  /** Takes no more questions, waits for the running handlers up to `drainMs`, then aborts them. The connection stays. */
  async close(): Promise<void> {
    const drained = (async () => {
      await Promise.allSettled(this.#subscriptions.map((subscription) => subscription.drain()));
      await Promise.all([...this.#slots.values()].map((slots) => slots.idle()));
    })();
    await Promise.race([drained, this.#clock.sleep(this.#settings.drainMs ?? 3_000, this.#giveUp.signal)]);
    this.#giveUp.abort();
  }

  override on(event: string): never {
    throw new Error(`the bus has no event ${event}`);
  }

  override unwrap<T>(): T {
    return this.#settings.nc as T;
  }

  async #subscribeAll(): Promise<void> {
    let refusedBy: Error | undefined;
    for (const [verb, handler] of this.messageHandlers) {
      const c = callOf(handler.extras);
      if (c === undefined) throw new Error(`the handler of ${verb} is not marked @Answers`);
      const { queue, maxConcurrent = 64, maxWaiting = 1_024 } = this.#settings;
      const slots = new Slots(maxConcurrent, maxWaiting);
      this.#slots.set(verb, slots);
      const callback = (error: Error | null, message: Msg) => {
        if (error === null) this.#onQuestion(c, handler, message, slots);
        else refusedBy = error;
      };
      const options = queue === undefined ? { callback } : { callback, queue };
      this.#subscriptions.push(this.#settings.nc.subscribe(this.#settings.subjectOf(verb), options));
    }
    // After this round trip the server has said what these credentials may not hear.
    await this.#settings.nc.flush();
    if (refusedBy !== undefined) throw refusedBy;
  }

  #onQuestion(c: Call, handler: MessageHandler, message: Msg, slots: Slots): void {
    // Nobody waits for an answer: then nobody asked.
    if (!message.reply) return;
    const request = decodeRequest(c, message.data);
    if (request.kind === "refused") {
      this.#reply(c, message, request);
      return;
    }
    const deadline = new Deadline(this.#clock, request.answer.meta.deadlineMs);
    if (!slots.run(() => this.#answer(c, handler, message, request.answer, deadline))) {
      const reason = refusal("busy", `${c.verb}: too many questions wait already`, { retryAfterMs: 100 });
      this.#reply(c, message, refusedWith(reason));
    }
  }

  async #answer(
    c: Call,
    handler: MessageHandler,
    message: Msg,
    { meta, body }: Request<Call>,
    deadline: Deadline,
  ): Promise<void> {
    const deadlineMs = deadline.remainingMs();
    if (deadlineMs === 0) return;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), deadlineMs);
    const signal = AbortSignal.any([late.signal, this.#giveUp.signal]);
    const context: CallContext = { ...meta, deadlineMs, subject: message.subject, signal };
    const result = await this.#resultOf(c, handler, body, context);
    clearTimeout(timer);
    if (!deadline.passed()) this.#reply(c, message, result, context);
  }

  async #resultOf(
    c: Call,
    handler: MessageHandler,
    body: unknown,
    context: CallContext,
  ): Promise<Result<unknown>> {
    try {
      const produced: unknown = await handler(body, context);
      const answer = isObservable(produced) ? await firstValueFrom(produced) : produced;
      return { kind: "answer", answer };
    } catch (thrown) {
      if (thrown instanceof RefusedError) return refusedWith(thrown.refusal);
      return this.#failed(c, thrown, context);
    }
  }

  #reply(c: Call, message: Msg, result: Result<unknown>, context?: CallContext): void {
    try {
      message.respond(encodeReply(c, result, this.#name));
    } catch (thrown) {
      // Does not match its schema, or is larger than the server takes.
      const instead = this.#failed(c, thrown, context);
      if (!this.#settings.nc.isClosed()) message.respond(encodeReply(c, instead, this.#name));
    }
  }

  /** A bug or a broken world: the log has it all, the wire only the id to find it by. */
  #failed(c: Call, thrown: unknown, context: CallContext | undefined) {
    const correlationId = context?.correlationId ?? this.#settings.ids.ulid();
    this.logger.error({ msg: `${c.verb} failed`, verb: c.verb, correlationId, err: thrown });
    return refusedWith(
      refusal(
        "effect_failed",
        `${c.verb} failed; the log of the one who answers has it under ${correlationId}`,
      ),
    );
  }
}
