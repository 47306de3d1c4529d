import "reflect-metadata";
import { readFile } from "node:fs/promises";
import { NestFactory } from "@nestjs/core";
import { assertBusAnswers, assertSyncedWrites, BusServer, connectBus } from "#bus";
import { HOST_TO_SCHEDULER_VERBS, type HostToSchedulerVerb, type SchedulerVerb, subjects } from "#contracts";
import { ensureHubStreams } from "#event-log";
import { HealthServer, Metrics, makeLogger, NestLogger, readSettings, runService } from "#service";
import { SchedulerParts, schedulerModule } from "./scheduler.module.ts";
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

  const strategy = new BusServer({ nc, ids: parts.ids, subjectOf, queue: "scheduler" });
  const app = await NestFactory.createMicroservice(schedulerModule(parts), {
    strategy,
    logger: new NestLogger(logger),
  });
  await app.listen();
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

/** Hosts ask on a subject that names them; everybody else on the verb's own. */
function subjectOf(verb: string): string {
  const fromHosts = HOST_TO_SCHEDULER_VERBS.includes(verb as HostToSchedulerVerb);
  return fromHosts
    ? subjects.hostToScheduler("*", verb as HostToSchedulerVerb)
    : subjects.scheduler(verb as SchedulerVerb);
}
