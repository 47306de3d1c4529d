import { rm } from "node:fs/promises";
import { RefusedError, refusal } from "#kernel";
import { HostNames, purgeHost } from "#runtime";
import type { Cluster } from "./cluster-file.ts";
import type { Layout } from "./layout.ts";
import type { Report } from "./supervised-process.ts";

/** Removes every trace of a cluster whose services are stopped. Data goes last: an interrupted purge can be repeated. */
export async function purgeCluster(cluster: Cluster, layout: Layout, report: Report): Promise<void> {
  const left: string[] = [];
  for (const { hostId } of cluster.hosts) {
    report(`removing the machines of ${hostId}`);
    const names = new HostNames(cluster.clusterId, hostId);
    left.push(...(await purgeHost(names, layout.hostDir(hostId), report)));
  }
  if (left.length > 0) {
    const message = `${left.length} things could not be removed (${left.slice(0, 3).join(", ")}): run \`drover down --purge\` again`;
    throw new RefusedError(refusal("effect_failed", message, { details: { left } }));
  }
  await rm(layout.root, { recursive: true, force: true });
}
