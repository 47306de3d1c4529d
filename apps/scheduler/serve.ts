import type { INestMicroservice } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type BusConnection, BusServer } from "#bus";
import { HOST_TO_SCHEDULER_VERBS, type HostToSchedulerVerb, type SchedulerVerb, subjects } from "#contracts";
import { NestLogger, type ServiceLogger } from "#service";
import { type SchedulerParts, schedulerModule } from "./scheduler.module.ts";

/** Answers calls to the scheduler; several schedulers share them. */
export async function serveScheduler(
  parts: SchedulerParts,
  nc: BusConnection,
  logger: ServiceLogger,
): Promise<INestMicroservice> {
  const strategy = new BusServer({ nc, ids: parts.ids, subjectOf, queue: "scheduler" });
  const app = await NestFactory.createMicroservice(schedulerModule(parts), {
    strategy,
    logger: new NestLogger(logger),
  });
  await app.listen();
  return app;
}

/** Hosts ask on a subject that names them; everybody else on the verb's own. */
function subjectOf(verb: string): string {
  const fromHosts = HOST_TO_SCHEDULER_VERBS.includes(verb as HostToSchedulerVerb);
  return fromHosts
    ? subjects.hostToScheduler("*", verb as HostToSchedulerVerb)
    : subjects.scheduler(verb as SchedulerVerb);
}
