import type { INestMicroservice } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { BusServer } from "#bus";
import { bidCall, type HostVerb, subjects } from "#contracts";
import { NestLogger, type ServiceLogger } from "#service";
import { agentModule } from "./agent.module.ts";
import type { HostAgent } from "./agent.ts";
import type { AgentSettings } from "./settings.ts";
import type { AgentWorld } from "./world.ts";

/** Of one verb. Handlers of an agent mostly wait, for the log or for a machine's start, and that costs nothing. */
const MAX_CONCURRENT = 1_024;

/** Answers calls to this host, and to every host of its region. */
export async function serveAgent(
  agent: HostAgent,
  { nc, ids }: Pick<AgentWorld, "nc" | "ids">,
  { hostId, region }: Pick<AgentSettings, "hostId" | "region">,
  logger: ServiceLogger,
): Promise<INestMicroservice> {
  const subjectOf = (verb: string) =>
    verb === bidCall.verb ? subjects.bid(region) : subjects.hostCommand(hostId, verb as HostVerb);
  const app = await NestFactory.createMicroservice(agentModule(agent), {
    strategy: new BusServer({ nc, ids, subjectOf, maxConcurrent: MAX_CONCURRENT }),
    logger: new NestLogger(logger),
  });
  await app.listen();
  return app;
}
