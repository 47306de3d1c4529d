import "reflect-metadata";
import { mkdir, readFile } from "node:fs/promises";
import { assertBusAnswers, assertSyncedWrites, connectBus } from "#bus";
import { HealthServer, Metrics, makeLogger, readSettings, runService } from "#service";
import { serveVolumes } from "./serve.ts";
import { volumesSettingsSchema } from "./settings.ts";
import { VolumesParts } from "./volumes.module.ts";

const logger = makeLogger("volumes");

await runService(logger, async () => {
  const settings = await readSettings(process.argv, volumesSettingsSchema);
  const { nats, allowUnsafe, dataDir } = settings;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const health = new HealthServer(new Metrics());
  let ready = false;
  health.require("started", () => {
    if (!ready) throw new Error("still starting");
  });
  await health.listen(settings.listen);

  const seed = await readFile(nats.seedFile, "utf8");
  const nc = await connectBus({ servers: nats.servers, user: "volumes", seed: seed.trim(), name: "volumes" });
  await assertSyncedWrites(nc, settings.monitorUrl, { allowUnsafe });
  health.require("bus", () => assertBusAnswers(nc, 1_000));

  const parts = await VolumesParts.start(nc, dataDir, logger);
  health.require("projection", () => parts.projection.caughtUp);
  const stopping = new AbortController();
  void parts.backups.run(stopping.signal);
  const app = await serveVolumes(parts, nc, logger);
  ready = true;
  logger.info("serving");
  return {
    stop: async () => {
      stopping.abort();
      await app.close();
      await parts.projection.stop();
      await nc.drain();
      await health.close();
    },
  };
});
