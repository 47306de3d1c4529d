import { availableParallelism, totalmem } from "node:os";
import type { Clock, Ids } from "#kernel";
import { type Cluster, readCluster, writeCluster } from "../cluster/cluster-file.ts";
import type { Layout } from "../cluster/layout.ts";
import { growCluster, makeCluster } from "../cluster/make-cluster.ts";
import type { HostShare, HubPlace } from "../cluster/write-settings.ts";

/**
 * A cluster whose processes run in containers, each under its name in docker-compose.yml and with a network of its own: they
 * listen on all of that, and the engine decides what of it the outside sees.
 */
const EVERYWHERE = "0.0.0.0";
export const HUB: HubPlace = { name: "hub", inner: { name: "hub", listen: EVERYWHERE } };
export const POSTGRES = { name: "postgres", port: 5432, user: "drover", database: "drover" } as const;

/** Where processes of other containers find them. */
export const API = { host: "api", port: 4280 } as const;
const HTTP_PORT = 8080;
const NATS_PORT = 4222;
/** Known to docker-compose.yml, which asks there for health. None can be taken: each container has its own. */
const PORTS = { hubLeafPort: 7422, hubMonitorPort: 8222, schedulerHealthPort: 4281, volumesHealthPort: 4284 };
const HOST_PORTS = { leafPort: 4222, monitorPort: 8222, healthPort: 4282 };
const ROUTER_PORTS = { port: HTTP_PORT, healthPort: 4283 };

/** Part of the engine's memory that the hosts may promise together: hub, services and Postgres need some, too. */
const SHARED_MEMORY = 0.6;

/** The cluster in this folder, made at the first call; hosts are added until there are `hosts`. */
export async function composeCluster(
  layout: Layout,
  hosts: number,
  clock: Clock,
  ids: Ids,
): Promise<Cluster> {
  const before = await readCluster(layout);
  const at = (port: number) => ({ host: EVERYWHERE, port });
  const listen = { nats: at(NATS_PORT), api: at(API.port), http: at(HTTP_PORT) };
  const cluster = await growCluster(
    before ?? (await makeCluster({ hosts, routers: 1, ...listen }, clock, ids)),
    hosts,
    ids,
  );
  const fixed: Cluster = {
    ...cluster,
    ...listen,
    ...PORTS,
    hosts: cluster.hosts.map((host) => ({ ...host, ...HOST_PORTS })),
    routers: cluster.routers.map((router) => ({ ...router, ...ROUTER_PORTS })),
  };
  await writeCluster(layout, fixed);
  return fixed;
}

/** What is promised must be there (I8): memory is divided; processor time is shared by weight. */
export function shareOf({ hosts }: Cluster): HostShare {
  const memoryMib = Math.floor((totalmem() * SHARED_MEMORY) / hosts.length / (1024 * 1024));
  return { cpuMillis: availableParallelism() * 1000, memoryMib };
}
