import "reflect-metadata";
import { readFile } from "node:fs/promises";
import { assertBusAnswers, assertSyncedWrites, connectBus } from "#bus";
import { ensureHubStreams } from "#event-log";
import { HealthServer, Metrics, makeLogger, readSettings, runService } from "#service";
import { SchedulerParts } from "./scheduler.module.ts";
import { serveScheduler } from "./serve.ts";
import { schedulerSettingsSchema } from "./settings.ts";

const logger = makeLogger("scheduler");

await runService(logger, async () => {
  const settings = await readSettings(process.argv, schedulerSettingsSchema);
  const { nats, allowUnsafe } = settings;
  const health = new HealthServer(new Metrics());
  let ready = false;
  health.require("started", () => {
    if (!ready) throw new Error("still starting");
  });
  await health.listen(settings.listen);

  const seed = await readFile(nats.seedFile, "utf8");
  const nc = await connectBus({
    servers: nats.servers,
    user: "scheduler",
    seed: seed.trim(),
    name: "scheduler",
  });
  await assertSyncedWrites(nc, settings.monitorUrl, { allowUnsafe });
  health.require("bus", () => assertBusAnswers(nc, 1_000));

  const parts = new SchedulerParts(nc, logger);
  await ensureHubStreams(nc, parts.ids);
  await parts.reconciler.reconcile();
  const stopping = new AbortController();
  void parts.stalledSources.run(stopping.signal);

  const app = await serveScheduler(parts, nc, logger);
  ready = true;
  logger.info({ hosts: parts.reconciler.registered.length }, "serving");
  return {
    stop: async () => {
      stopping.abort();
      await app.close();
      await nc.drain();
      await health.close();
    },
  };
});
