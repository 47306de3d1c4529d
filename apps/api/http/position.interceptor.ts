import type { CallHandler, ExecutionContext, NestInterceptor } from "@nestjs/common";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Observable } from "rxjs";
import type { FleetReader } from "../fleet/fleet-reader.ts";
import { wantedPosition } from "./caller.ts";

/**
 * Lets a reader see at least what it saw before: a request that names a position waits, for a bounded time, until
 * the projection includes it. An answer that may be older than the cluster says so in `drover-stale`.
 */
export class PositionInterceptor implements NestInterceptor {
  readonly #fleet: FleetReader;

  constructor(fleet: FleetReader) {
    this.#fleet = fleet;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const wanted = wantedPosition(http.getRequest<FastifyRequest>());
    const reached = wanted === undefined || (await this.#fleet.reach(wanted));
    if (!reached || this.#fleet.isStale())
      void http.getResponse<FastifyReply>().header("drover-stale", "true");
    return next.handle();
  }
}
