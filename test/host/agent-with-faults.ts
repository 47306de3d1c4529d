import "reflect-metadata";
import { appendFileSync } from "node:fs";
import { makeLogger, readSettings, runService } from "#service";
import { runAgent } from "../../apps/host-agent/run-agent.ts";
import { agentSettingsSchema } from "../../apps/host-agent/settings.ts";
import { type AgentWorld, connectLeaf, openWorld } from "../../apps/host-agent/world.ts";
import { DeathPoint, mortal } from "../simulation/host-death.ts";

/**
 * The real host agent in its real world, except that it can be told where to die: `--die-at N` kills the process as by
 * kill -9 at the Nth place after SIGUSR2, and `--trace FILE` writes down which places it passes.
 */
const logger = makeLogger("host-agent");
const point = new DeathPoint(
  Number(option("--die-at") ?? Number.POSITIVE_INFINITY),
  writesTo(option("--trace")),
);
process.on("SIGUSR2", () => {
  point.arm();
  process.stderr.write("armed\n");
});
void point.died.then(() => process.kill(process.pid, "SIGKILL"));

const VOLUME_CALLS = ["create", "extend", "remove", "snapshot", "restore", "removeSnapshot"] as const;

await runService(logger, async () => {
  const settings = await readSettings(process.argv, agentSettingsSchema);
  return runAgent(settings, logger, async (onStuck) =>
    mortalWorld(await openWorld(settings, await connectLeaf(settings), onStuck)),
  );
});

function mortalWorld(world: AgentWorld): AgentWorld {
  const { images, rootfs, network, containers, logs, volumes } = world.ports;
  return {
    ...world,
    log: mortal("log", world.log, ["take"], point),
    ports: {
      images: mortal("images", images, ["pull"], point),
      rootfs: mortal("rootfs", rootfs, ["prepare", "remove"], point),
      network: mortal("network", network, ["prepare", "remove"], point),
      containers: mortal(
        "containers",
        containers,
        ["launch", "sendSignal", "awaitExit", "removeContainers"],
        point,
      ),
      logs: mortal("logs", logs, ["prepare", "remove"], point),
      volumes: mortal("volumes", volumes, VOLUME_CALLS, point),
    },
  };
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function writesTo(file: string | undefined): (place: string) => void {
  return (place) => {
    if (file !== undefined) appendFileSync(file, `${place}\n`);
  };
}
