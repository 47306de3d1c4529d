import { z } from "zod";
import { featureSchema, resourcesSchema, SUBJECT_TOKEN } from "#contracts";
import { listenSchema, natsSchema } from "#service";

const id = z.string().regex(SUBJECT_TOKEN);

/** The whole configuration of a host agent: one JSON file, parsed once. */
export const agentSettingsSchema = z.strictObject({
  clusterId: id,
  hostId: id,
  region: id,
  /** First two bytes of its machines' IPv4 addresses, e.g. "10.213". Its own among all hosts on one box. */
  subnet: z.string().regex(/^\d{1,3}\.\d{1,3}$/, 'two bytes of an IPv4 address, as in "10.213"'),
  /** IPv4 addresses of routers that are on other servers: nobody else from beyond this host reaches its machines. */
  routers: z.array(z.ipv4()).max(256).default([]),
  /** Absolute. Everything that outlives the agent is below it. */
  dataDir: z.string().startsWith("/"),
  /** The host's own leaf. */
  nats: natsSchema,
  /** HTTP of that leaf: "http://127.0.0.1:8222". */
  monitorUrl: z.url(),
  /** Health and metrics. Loopback: guests must not reach it. */
  listen: listenSchema,
  /** Serve although the leaf does not sync its writes: for a laptop. */
  allowUnsafe: z.boolean().default(false),
  /** What this host may promise, where that is not what the machine has: several hosts on one box. */
  capacity: resourcesSchema.optional(),
  /** What its operator says that it has, beside what is measured: "ssd". */
  features: z.array(featureSchema).max(64).default([]),
  maxMachines: z.number().int().min(1).max(65_000).default(1_000),
  /** The most that volumes and their snapshots may take of the disk, together; unless told, a share of what is free. */
  volumePoolMib: z.number().int().min(0).optional(),
  /** Kept free for what has to go on: below it the log takes nothing, and below twice as much nothing new is taken in (F34). */
  diskReserveMib: z.number().int().min(0).default(256),
  /** Containers of stopped machines that stand ready, so that a wake only lets them go; about 4 MiB of memory each. */
  readyContainers: z.number().int().min(0).max(10_000).default(32),
  agentVersion: z.string().min(1).default("0.1.0"),
});

export type AgentSettings = z.infer<typeof agentSettingsSchema>;
