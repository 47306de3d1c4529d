import { createServer } from "node:net";
import { RefusedError, refusal } from "#kernel";
import type { Cluster, Listen } from "./cluster-file.ts";

/** Ports that no one is given by chance: below the kernel's range for outgoing connections. */
const FIRST_PORT = 14_000;
const LAST_PORT = 29_999;

/** `count` different ports on loopback that nobody uses at this moment, outside `taken`. */
export async function freePorts(
  count: number,
  random: () => number,
  taken: ReadonlySet<number>,
): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries > 10_000)
      throw new RefusedError(refusal("port_taken", "no free ports on 127.0.0.1: free some"));
    const port = FIRST_PORT + Math.floor(random() * (LAST_PORT - FIRST_PORT + 1));
    if (found.has(port) || taken.has(port)) continue;
    if ((await whyTaken({ host: "127.0.0.1", port })) === undefined) found.add(port);
  }
  return [...found];
}

/** All ports that a cluster has for itself. */
export function portsOf(cluster: Cluster): Set<number> {
  const { nats, api, http, hubLeafPort, hubMonitorPort, schedulerHealthPort, hosts, routers } = cluster;
  const own = [nats.port, api.port, http.port, hubLeafPort, hubMonitorPort, schedulerHealthPort];
  const ofVolumes = cluster.volumesHealthPort === undefined ? [] : [cluster.volumesHealthPort];
  const ofHosts = hosts.flatMap((host) => [host.leafPort, host.monitorPort, host.healthPort]);
  const ofRouters = routers.flatMap((router) => [router.port, router.healthPort]);
  return new Set([...own, ...ofVolumes, ...ofHosts, ...ofRouters]);
}

/** Why an address cannot be listened on right now; undefined when it can. */
export async function whyTaken({ host, port }: Listen): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => done(REASONS[error.code ?? ""] ?? error.message));
    server.listen(port, host, () => server.close(() => done(undefined)));
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another program",
  EADDRNOTAVAIL: "is no address of this machine",
  EACCES: "needs root",
  ENOTFOUND: "is a name that nobody knows",
};
