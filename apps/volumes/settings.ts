import { z } from "zod";
import { SUBJECT_TOKEN } from "#contracts";
import { listenSchema, natsSchema } from "#service";

/** The settings file of the service volumes. */
export const volumesSettingsSchema = z.strictObject({
  clusterId: z.string().regex(SUBJECT_TOKEN),
  region: z.string().regex(SUBJECT_TOKEN),
  nats: natsSchema,
  monitorUrl: z.string(),
  listen: listenSchema,
  dataDir: z.string(),
  allowUnsafe: z.boolean().default(false),
});
