import { z } from "zod";
import { SUBJECT_TOKEN } from "#contracts";
import { listenSchema, natsSchema } from "#service";

const id = z.string().regex(SUBJECT_TOKEN);

/** What a router takes upon itself for requests that no machine can take yet. */
const limitsSchema = z.strictObject({
  /** How long a request is held before it is answered 503. */
  holdMs: z.number().int().min(1).max(300_000).default(30_000),
  heldPerApp: z.number().int().min(1).default(2_000),
  held: z.number().int().min(1).default(10_000),
  /** Bytes of a request's body that are kept so that it can be sent again. */
  keptBodyBytes: z.number().int().min(0).default(65_536),
  /** Of all kept bodies together. */
  keptBytes: z.number().int().min(0).default(67_108_864),
});

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
  domains: z.array(z.string().min(1)).min(1).default(["localhost"]),
  /** Holds its last known routes: without the hub it starts with these. */
  dataDir: z.string(),
  limits: limitsSchema.prefault({}),
});
export type RouterSettings = z.infer<typeof routerSettingsSchema>;
