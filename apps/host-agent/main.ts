import "reflect-metadata";
import { makeLogger, readSettings, runService } from "#service";
import { runAgent } from "./run-agent.ts";
import { agentSettingsSchema } from "./settings.ts";
import { connectLeaf, openWorld } from "./world.ts";

const logger = makeLogger("host-agent");

await runService(logger, async () => {
  const settings = await readSettings(process.argv, agentSettingsSchema);
  return runAgent(settings, logger, async (onStuck) =>
    openWorld(settings, await connectLeaf(settings), onStuck),
  );
});
