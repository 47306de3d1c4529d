import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { RefusedError, refusal } from "#kernel";
import { HostNames, purgeHost } from "#runtime";
import type { Cluster } from "./cluster-file.ts";
import type { Layout } from "./layout.ts";
import type { Report } from "./supervised-process.ts";

/**
 * Removes every trace of a cluster whose services are stopped. The cluster file goes last: until then an interrupted
 * purge can be repeated. Returns what of the data directory stays, because it was never the cluster's.
 */
export async function purgeCluster(cluster: Cluster, layout: Layout, report: Report): Promise<string[]> {
  const left: string[] = [];
  for (const { hostId } of cluster.hosts) {
    report(`removing the machines of ${hostId}`);
    const names = new HostNames(cluster.clusterId, hostId);
    left.push(...(await purgeHost(names, layout.hostDir(hostId), report)));
  }
  if (left.length > 0) {
    const message = `not all could be removed (${left.slice(0, 3).join(", ")}): run \`drover down --purge\` again`;
    throw new RefusedError(refusal("effect_failed", message, { details: { left } }));
  }
  for (const path of pathsOf(cluster, layout)) await rm(path, { recursive: true, force: true });
  await rm(layout.clusterFile, { force: true });
  return removeFolder(layout.root);
}

/** All that Drover puts into a data directory, but for the cluster file. */
function pathsOf({ routers }: Cluster, layout: Layout): string[] {
  const { hubDir, logsDir, secretsDir, demoDir, timelineDir, tokenFile, clusterFile } = layout;
  const named = ["scheduler", "volumes", "api", ...routers.map(({ routerId }) => routerId)];
  const services = named.map((service) => layout.serviceDir(service));
  const half = [tokenFile, clusterFile].map((file) => `${file}.tmp`);
  return [
    join(layout.root, "hosts"),
    hubDir,
    ...services,
    demoDir,
    timelineDir,
    logsDir,
    secretsDir,
    tokenFile,
    ...half,
  ];
}

/** Removes an empty folder. Somebody else's files in it stay, and so does one that is a mount point. */
async function removeFolder(folder: string): Promise<string[]> {
  const foreign = await readdir(folder);
  if (foreign.length === 0) await rmdir(folder).catch(keepMountPoint);
  return foreign;
}

function keepMountPoint(error: NodeJS.ErrnoException): void {
  if (error.code !== "EBUSY") throw error;
}
