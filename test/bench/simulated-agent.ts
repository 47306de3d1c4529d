import "reflect-metadata";
import {
  SimulatedContainerRuntime,
  SimulatedImageStore,
  SimulatedKernel,
  SimulatedMachineLogs,
  SimulatedMachineNetwork,
  SimulatedRegistry,
  SimulatedRootfsStore,
} from "#runtime";
import { makeLogger, readSettings, runService } from "#service";
import { runAgent } from "../../apps/host-agent/run-agent.ts";
import { agentSettingsSchema } from "../../apps/host-agent/settings.ts";
import { type AgentWorld, connectLeaf, openWorld } from "../../apps/host-agent/world.ts";

/** Machines have addresses of this machine's loopback: what listens there stands in for their programs. */
const SUBNET = "127.213";

/**
 * The real host agent on its real leaf and log, whose images, networks and containers take no time: what is left of a
 * create is the control plane's own share.
 */
const logger = makeLogger("host-agent");

await runService(logger, async () => {
  const settings = await readSettings(process.argv, agentSettingsSchema);
  return runAgent(settings, logger, async (onStuck) =>
    weightless(await openWorld(settings, await connectLeaf(settings), onStuck)),
  );
});

function weightless(world: AgentWorld): AgentWorld {
  const registry = new SimulatedRegistry();
  registry.publish("bench:1", "bench", { cmd: ["serve"] });
  const images = new SimulatedImageStore(registry);
  const life = new SimulatedKernel().newLife(() => undefined);
  return {
    ...world,
    identity: { ...world.identity, subnet: SUBNET },
    ports: {
      ...world.ports,
      images,
      rootfs: new SimulatedRootfsStore(images),
      network: new SimulatedMachineNetwork(life),
      containers: new SimulatedContainerRuntime(life, world.clock),
      logs: new SimulatedMachineLogs(),
    },
  };
}
