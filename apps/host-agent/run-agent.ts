import { assertBusAnswers } from "#bus";
import { HealthServer, Metrics, type ServiceLogger, type StartedService } from "#service";
import { HostAgent } from "./agent.ts";
import { serveAgent } from "./serve.ts";
import type { AgentSettings } from "./settings.ts";
import { HostLock } from "./start/host-lock.ts";
import type { AgentWorld } from "./world.ts";

/** Starts an agent in its world. It is ready, and answers, only when log and reality are one. */
export async function runAgent(
  settings: AgentSettings,
  logger: ServiceLogger,
  openWorld: (onStuck: (detail: string) => void) => Promise<AgentWorld>,
): Promise<StartedService> {
  const { hostId, clusterId } = settings;
  // A supervisor starts it again, and its log tells it where it was.
  const onEnd = (reason: string) => {
    logger.fatal({ reason }, "the agent ends");
    process.exit(1);
  };
  const lock = await HostLock.take(clusterId, hostId);
  const metrics = new Metrics();
  const health = new HealthServer(metrics);
  let isReady = false;
  health.require("started", () => {
    if (!isReady) throw new Error("still starting");
  });
  await health.listen(settings.listen);

  const world = await openWorld((detail) => logger.error({ detail }, "the leaf must be started again"));
  const agent = await HostAgent.open(settings, world, { logger, onEnd });
  health.require("bus", () => assertBusAnswers(world.nc, 1_000));
  measure(metrics, agent);
  await agent.start();

  const app = await serveAgent(agent, world, settings, logger);
  isReady = true;
  logger.info({ hostId, logId: agent.ledger.log.logId, machines: agent.machineCount }, "serving");
  return {
    stop: async () => {
      await app.close();
      await agent.stop();
      await world.nc.close();
      await Promise.all([health.close(), lock.release()]);
    },
  };
}

function measure(metrics: Metrics, agent: HostAgent): void {
  metrics.gauge("drover_host_machines", "Machines of this host.", () => agent.machineCount);
  metrics.gauge("drover_host_operations", "Unfinished operations.", () => agent.waiting().length);
  metrics.gauge(
    "drover_host_log_sequence",
    "Last sequence of the host's log.",
    () => agent.ledger.log.lastSequence,
  );
}
