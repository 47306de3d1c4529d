import "reflect-metadata";
import { mkdir, readFile } from "node:fs/promises";
import { assertBusAnswers, assertSyncedWrites, connectBus } from "#bus";
import { listMachines } from "#read-model";
import { HealthServer, Metrics, makeLogger, readSettings, runService } from "#service";
import { apiParts } from "./api.module.ts";
import { apiServer } from "./serve.ts";
import { ApiSettings, apiSettingsSchema } from "./settings.ts";

const logger = makeLogger("api");
/** Answers from half of the history would be wrong; none at all because the hub went away meanwhile would be worse. */
const CATCH_UP_MS = 10_000;

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
  const secrets = { adminToken, seed: seed.trim() };
  const parts = await apiParts(nc, settings, secrets, logger);

  const metrics = new Metrics();
  const { drift } = parts;
  metrics.gauge(
    "drover_api_folds_compared",
    "Host states compared with what hosts say.",
    () => drift.compared,
  );
  metrics.gauge("drover_api_folds_wrong", "Of these, not as in the log, and made anew.", () => drift.wrong);
  const health = new HealthServer(metrics);
  health.require("bus", () => assertBusAnswers(nc, 1_000));
  health.require("projection", () => parts.projection.caughtUp);
  // Without it lists are shorter, and nothing else is missing: said, and no reason to be taken away.
  health.tell("read_model", async () => {
    const read = await parts.readModel.read({}, 0, (db) => listMachines(db, { page: { limit: 1 } }));
    return read.kind === "rows" ? { status: "ready" } : { status: "degraded", why: read.why };
  });
  const app = await apiServer(parts, health, logger);
  const caughtUp = new AbortController();
  void parts.projection.caughtUp.then(() => caughtUp.abort());
  await parts.clock.sleep(CATCH_UP_MS, caughtUp.signal).catch(() => undefined);
  await app.listen(settings.listen.port, settings.listen.host);
  parts.readModel.start();
  parts.replay.start();
  logger.info({ listen: settings.listen }, "serving");
  return {
    stop: async () => {
      await app.close();
      drift.stop();
      await Promise.all([parts.projection.stop(), parts.readModel.stop(), parts.replay.stop()]);
      await nc.drain();
    },
  };
});
