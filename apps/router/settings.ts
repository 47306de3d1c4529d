import { z } from "zod";
import { isHostname, SUBJECT_TOKEN } from "#contracts";
import { listenSchema, natsSchema } from "#service";
import { limitsSchema } from "./proxy/limits.ts";

const id = z.string().regex(SUBJECT_TOKEN);

/** A router's settings file. */
export const routerSettingsSchema = z.strictObject({
  clusterId: id,
  /** Unique among the routers of a cluster: names its leases and traces. */
  routerId: id,
  /** Machines of its own region are preferred. */
  region: id,
  nats: natsSchema,
  /** HTTP: requests to machines. */
  listen: listenSchema,
  /** Health, metrics and `/routes`. Loopback. */
  healthListen: listenSchema,
  /** An app answers at `<app>.<domain>`. */
  domains: z
    .array(z.string().toLowerCase().refine(isHostname, "not a host name"))
    .min(1)
    .default(["localhost"]),
  /** Holds its last known routes: without the hub it starts with these. */
  dataDir: z.string(),
  limits: limitsSchema.prefault({}),
});
export type RouterSettings = z.infer<typeof routerSettingsSchema>;
