import { mkdir, readFile } from "node:fs/promises";
import { connectBus } from "#bus";
import { makeLogger, readSettings, runService } from "#service";
import { runRouter } from "./run-router.ts";
import { routerSettingsSchema } from "./settings.ts";

const logger = makeLogger("router");

await runService(logger, async () => {
  const settings = await readSettings(process.argv, routerSettingsSchema);
  const { nats, dataDir, routerId } = settings;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const seed = await readFile(nats.seedFile, "utf8");
  const bus = { servers: nats.servers, user: "router", seed: seed.trim(), name: `router ${routerId}` };
  return runRouter(settings, logger, (signal) => connectBus(bus, signal));
});
