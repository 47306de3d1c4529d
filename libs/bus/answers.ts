import { type ArgumentsHost, applyDecorators, Catch, type ExceptionFilter, UseFilters } from "@nestjs/common";
import { Ctx, MessagePattern, Payload } from "@nestjs/microservices";
import { type Observable, throwError } from "rxjs";
import type { AnswerOf, Call, CallMeta, RequestOf } from "#contracts";

/** What a handler is told beside the body. `deadlineMs` is what is left when it begins. */
export interface CallContext extends CallMeta {
  /** Where the request arrived: on a wildcard it tells which host asks. */
  readonly subject: string;
  /** Fires when the deadline passes or the process gives up waiting at its shutdown. */
  readonly signal: AbortSignal;
}

/** Answers a call. Refuses by throwing `RefusedError`; whatever else it throws is a bug, and is logged as one. */
export type Handler<C extends Call> = (
  body: RequestOf<C>,
  context: CallContext,
) => AnswerOf<C> | Promise<AnswerOf<C>>;

/** Nest's own filter would turn every error into "Internal server error"; the transport knows better. */
@Catch()
class PassOn implements ExceptionFilter {
  catch(thrown: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => thrown);
  }
}

/**
 * Marks a controller's method as the one that answers a call. Where the questions arrive depends on the process's
 * settings, which no decorator sees: `BusServer` finds the subject by the call's verb.
 */
export function Answers<C extends Call>(c: C) {
  return <H extends Handler<C>>(
    target: object,
    method: string,
    descriptor: TypedPropertyDescriptor<H>,
  ): void => {
    Payload()(target, method, 0);
    Ctx()(target, method, 1);
    applyDecorators(MessagePattern(c.verb, { call: c }), UseFilters(PassOn))(target, method, descriptor);
  };
}

/** The call that a handler was marked with, from the extras that Nest keeps for it. */
export function callOf(extras: Readonly<Record<string, unknown>> | undefined): Call | undefined {
  return extras?.call as Call | undefined;
}
