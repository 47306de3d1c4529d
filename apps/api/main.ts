import "reflect-metadata";
import { mkdir, readFile } from "node:fs/promises";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { assertBusAnswers, assertSyncedWrites, connectBus } from "#bus";
import { SystemClock, SystemIds } from "#kernel";
import { HealthServer, Metrics, makeLogger, NestLogger, readSettings, runService } from "#service";
import { apiModule, apiParts } from "./api.module.ts";
import { BearerGuard } from "./http/bearer.guard.ts";
import { readJsonBodies } from "./http/json-body.ts";
import { PositionInterceptor } from "./http/position.interceptor.ts";
import { RefusalFilter } from "./http/refusal.filter.ts";
import { serveHealth } from "./http/serve-health.ts";
import { ApiSettings, apiSettingsSchema } from "./settings.ts";

const logger = makeLogger("api");
const MAX_BODY_BYTES = 1024 * 1024;

await runService(logger, async () => {
  const settings = new ApiSettings(await readSettings(process.argv, apiSettingsSchema));
  const { nats, allowUnsafe } = settings;
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  const [seed, adminToken] = await Promise.all([
    readFile(nats.seedFile, "utf8"),
    readFile(settings.adminTokenFile, "utf8"),
  ]);
  const nc = await connectBus({ servers: nats.servers, user: "api", seed: seed.trim(), name: "api" });
  await assertSyncedWrites(nc, settings.monitorUrl, { allowUnsafe });
  const parts = await apiParts(nc, settings, adminToken, logger);

  const health = new HealthServer(new Metrics());
  health.require("bus", () => assertBusAnswers(nc, 1_000));
  health.require("projection", () => parts.projection.caughtUp);

  const ids = new SystemIds(new SystemClock());
  const adapter = new FastifyAdapter({ bodyLimit: MAX_BODY_BYTES, genReqId: () => ids.ulid() });
  const app = await NestFactory.create<NestFastifyApplication>(apiModule(parts), adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
  });
  readJsonBodies(app.getHttpAdapter().getInstance(), MAX_BODY_BYTES);
  app.useGlobalGuards(new BearerGuard(parts.tokens));
  app.useGlobalInterceptors(new PositionInterceptor(parts.fleet));
  app.useGlobalFilters(new RefusalFilter(logger));
  serveHealth(app.getHttpAdapter().getInstance(), health);
  await app.listen(settings.listen.port, settings.listen.host);
  logger.info({ listen: settings.listen }, "serving");
  return {
    stop: async () => {
      await app.close();
      await parts.projection.stop();
      await nc.drain();
    },
  };
});
