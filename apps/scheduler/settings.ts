import { z } from "zod";
import { SUBJECT_TOKEN } from "#contracts";
import { listenSchema, natsSchema } from "#service";

/** The scheduler's settings file. */
export const schedulerSettingsSchema = z.strictObject({
  clusterId: z.string().regex(SUBJECT_TOKEN),
  region: z.string().regex(SUBJECT_TOKEN),
  nats: natsSchema,
  monitorUrl: z.string(),
  listen: listenSchema,
  dataDir: z.string(),
  allowUnsafe: z.boolean().default(false),
});
export type SchedulerSettings = z.infer<typeof schedulerSettingsSchema>;
