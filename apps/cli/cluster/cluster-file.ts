import { z } from "zod";
import { SUBJECT_TOKEN } from "#contracts";
import { RefusedError, refusal } from "#kernel";
import { readIfThere, writeFileAtomic } from "./files.ts";
import type { Layout } from "./layout.ts";

const port = z.number().int().min(1).max(65_535);
const listen = z.strictObject({ host: z.string().min(1), port });

export const clusterHostSchema = z.strictObject({
  hostId: z.string().regex(SUBJECT_TOKEN),
  /** First two bytes of its machines' addresses. */
  subnet: z.string().regex(/^10\.\d{1,3}$/),
  leafPort: port,
  monitorPort: port,
  healthPort: port,
});
export type ClusterHost = z.infer<typeof clusterHostSchema>;

export const clusterRouterSchema = z.strictObject({
  routerId: z.string().regex(SUBJECT_TOKEN),
  /** On the host of the cluster's `http`; the first router's is the port there. */
  port,
  healthPort: port,
});
export type ClusterRouter = z.infer<typeof clusterRouterSchema>;

export const clusterSchema = z.strictObject({
  version: z.literal(1),
  clusterId: z.string().regex(SUBJECT_TOKEN),
  region: z.string().regex(SUBJECT_TOKEN),
  createdAtMs: z.number(),
  nats: listen,
  api: listen,
  /** Where the first router listens. */
  http: listen,
  hubLeafPort: port,
  hubMonitorPort: port,
  schedulerHealthPort: port,
  /** Clusters from before there were volumes have none: the next `up` gives them one. */
  volumesHealthPort: port.optional(),
  hosts: z.array(clusterHostSchema).min(1),
  /** Clusters from before there were any have none: the next `up` makes one. */
  routers: z.array(clusterRouterSchema).default([]),
  /** The demo app was made once; it is not made again. */
  hasDemo: z.boolean().optional(),
});
export type Cluster = z.infer<typeof clusterSchema>;
export type Listen = z.infer<typeof listen>;

/** Reads the cluster of a data directory; undefined when there is none. Throws when the file is damaged. */
export async function readCluster(layout: Layout): Promise<Cluster | undefined> {
  const text = await readIfThere(layout.clusterFile);
  if (text === undefined) return undefined;
  const checked = clusterSchema.safeParse(safeJson(text));
  if (checked.success) return checked.data;
  const message = `${layout.clusterFile} is damaged: restore it from a backup, or name another folder with --data`;
  throw new RefusedError(refusal("invalid", message));
}

/** Writes it so that a crash leaves the old or the new one, never half of it. */
export async function writeCluster(layout: Layout, cluster: Cluster): Promise<void> {
  await writeFileAtomic(layout.clusterFile, `${JSON.stringify(cluster, null, 2)}\n`, 0o600);
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
