import type { INestMicroservice } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type BusConnection, BusServer } from "#bus";
import { subjects, type VolumesVerb } from "#contracts";
import { NestLogger, type ServiceLogger } from "#service";
import { type VolumesParts, volumesModule } from "./volumes.module.ts";

/** Answers calls to the service volumes; several of them share the calls. */
export async function serveVolumes(
  parts: VolumesParts,
  nc: BusConnection,
  logger: ServiceLogger,
): Promise<INestMicroservice> {
  const subjectOf = (verb: string) => subjects.volumes(verb as VolumesVerb);
  const strategy = new BusServer({ nc, ids: parts.ids, subjectOf, queue: "volumes" });
  const app = await NestFactory.createMicroservice(volumesModule(parts), {
    strategy,
    logger: new NestLogger(logger),
  });
  await app.listen();
  return app;
}
