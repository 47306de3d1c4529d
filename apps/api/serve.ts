import { fileURLToPath } from "node:url";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import type { FastifyInstance } from "fastify";
import { type HealthServer, NestLogger, type ServiceLogger } from "#service";
import { type ApiParts, apiModule } from "./api.module.ts";
import { builtPage, serveConsole } from "./console/serve-console.ts";
import { ExecSockets, isExecSocket } from "./exec/exec-sockets.ts";
import { BearerGuard } from "./http/bearer.guard.ts";
import { readJsonBodies } from "./http/json-body.ts";
import { PositionInterceptor } from "./http/position.interceptor.ts";
import { RefusalFilter } from "./http/refusal.filter.ts";
import { serveHealth } from "./http/serve-health.ts";

const MAX_BODY_BYTES = 1024 * 1024;

/** The API over HTTP. It listens nowhere yet. */
export async function apiServer(
  parts: ApiParts,
  health: HealthServer,
  logger: ServiceLogger,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => parts.ids.ulid(),
    http: { shouldUpgradeCallback: isExecSocket },
  });
  const app = await NestFactory.create<NestFastifyApplication>(apiModule(parts), adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  readJsonBodies(fastify, MAX_BODY_BYTES);
  app.useGlobalGuards(new BearerGuard(parts.tokens));
  app.useGlobalInterceptors(new PositionInterceptor(parts.fleet));
  app.useGlobalFilters(new RefusalFilter(logger));
  serveHealth(fastify, health);
  serveConsole(fastify, fileURLToPath(builtPage()), parts.ids);
  serveExecs(fastify, parts, logger);
  return app;
}

/** The WebSockets, beside Nest's routes. */
function serveExecs(fastify: FastifyInstance, parts: ApiParts, logger: ServiceLogger): void {
  const onFault = (error: unknown) => logger.error({ err: error }, "an exec failed");
  const sockets = new ExecSockets({ ...parts, onFault });
  fastify.server.on("upgrade", sockets.onUpgrade);
  fastify.addHook("preClose", (done) => {
    sockets.close();
    done();
  });
}
