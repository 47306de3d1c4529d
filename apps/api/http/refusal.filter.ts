import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { type Refusal, RefusedError, refusal } from "#kernel";
import { statusOf } from "./status-of.ts";

/**
 * Every error leaves the API in one shape, `{error, status}` as Fly's clients read it, plus `details` where the
 * decision saw some. A bug is logged with the request's id and shown without a stack.
 */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const response = http.getResponse<FastifyReply>();
    const { reason, status } = this.#read(thrown, request);
    const retryAfterMs = reason.retryAfterMs ?? (status === 503 ? 1_000 : undefined);
    if (retryAfterMs !== undefined) {
      void response.header("retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
    }
    const details = reason.details === undefined ? {} : { details: reason.details };
    void response.status(status).send({ error: reason.message, status: reason.code, ...details });
  }

  #read(thrown: unknown, request: FastifyRequest): { reason: Refusal; status: number } {
    if (thrown instanceof RefusedError) return { reason: thrown.refusal, status: statusOf(thrown.refusal) };
    const status = clientErrorOf(thrown);
    if (status !== undefined) {
      const code = status === 404 ? "not_found" : "invalid";
      return { reason: refusal(code, (thrown as Error).message), status };
    }
    this.#logger.error({ err: thrown, requestId: request.id, url: request.url }, "request failed");
    const message = `an error inside the API: look for request ${request.id} in its log`;
    return { reason: refusal("effect_failed", message), status: 500 };
  }
}

/** Unknown paths, bodies that are not JSON or too large: errors that the framework found before a handler ran. */
function clientErrorOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus() < 500 ? thrown.getStatus() : undefined;
  const status = (thrown as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}
