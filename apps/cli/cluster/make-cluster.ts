import { networkInterfaces } from "node:os";
import type { Clock, Ids } from "#kernel";
import { RefusedError, refusal } from "#kernel";
import type { Cluster, ClusterHost, ClusterRouter, Listen } from "./cluster-file.ts";
import { freePorts, portsOf, whyTaken } from "./ports.ts";

export interface Wanted {
  readonly hosts: number;
  readonly routers: number;
  readonly nats: Listen;
  readonly api: Listen;
  readonly http: Listen;
}

/** Ports of one host: leaf, its monitor, the agent's health. */
const PORTS_PER_HOST = 3;
const PORTS_OF_CLUSTER = 3;

/** Makes up a new cluster: ids, ports, subnets. Nothing is written yet. */
export async function makeCluster(wanted: Wanted, clock: Clock, ids: Ids): Promise<Cluster> {
  const taken = new Set([wanted.nats.port, wanted.api.port, wanted.http.port]);
  const [hubLeafPort, hubMonitorPort, schedulerHealthPort] = await freePorts(
    PORTS_OF_CLUSTER,
    () => ids.random(),
    taken,
  );
  const cluster: Cluster = {
    version: 1,
    clusterId: ids.randomHex(6),
    region: "local",
    createdAtMs: clock.nowMs(),
    nats: wanted.nats,
    api: wanted.api,
    http: wanted.http,
    hubLeafPort: hubLeafPort!,
    hubMonitorPort: hubMonitorPort!,
    schedulerHealthPort: schedulerHealthPort!,
    hosts: [],
    routers: [],
  };
  const grown = await growCluster(await withVolumes(cluster, ids), wanted.hosts, ids);
  return growRouters(grown, wanted.routers, ids);
}

/** The cluster with a port for the service volumes. */
export async function withVolumes(cluster: Cluster, ids: Ids): Promise<Cluster> {
  if (cluster.volumesHealthPort !== undefined) return cluster;
  const [port] = await freePorts(1, () => ids.random(), portsOf(cluster));
  return { ...cluster, volumesHealthPort: port! };
}

/** The cluster with hosts added until there are `count`. Existing ones keep everything. */
export async function growCluster(cluster: Cluster, count: number, ids: Ids): Promise<Cluster> {
  const missing = count - cluster.hosts.length;
  if (missing <= 0) return cluster;
  const ports = await freePorts(missing * PORTS_PER_HOST, () => ids.random(), portsOf(cluster));
  const subnets = freeSubnets(missing, cluster.hosts, () => ids.random());
  const added = subnets.map((subnet, index): ClusterHost => {
    const [leafPort, monitorPort, healthPort] = ports.slice(index * PORTS_PER_HOST);
    return {
      hostId: `host-${cluster.hosts.length + index + 1}`,
      subnet,
      leafPort: leafPort!,
      monitorPort: monitorPort!,
      healthPort: healthPort!,
    };
  });
  return { ...cluster, hosts: [...cluster.hosts, ...added] };
}

/**
 * The cluster with routers added until there are `count`. The first one listens where `http` says, each further one on
 * the port that follows, or on a free one where somebody has that.
 */
export async function growRouters(cluster: Cluster, count: number, ids: Ids): Promise<Cluster> {
  const routers: ClusterRouter[] = cluster.routers.map((router, index) =>
    index === 0 ? { ...router, port: cluster.http.port } : router,
  );
  const taken = portsOf({ ...cluster, routers });
  while (routers.length < count) {
    const [spare, healthPort] = await freePorts(2, () => ids.random(), taken);
    const next = { host: cluster.http.host, port: cluster.http.port + routers.length };
    const isFirst = routers.length === 0;
    const isFree = isFirst || (!taken.has(next.port) && (await whyTaken(next)) === undefined);
    const router = { routerId: `router-${routers.length + 1}`, port: isFree ? next.port : spare! };
    routers.push({ ...router, healthPort: healthPort! });
    taken.add(router.port).add(healthPort!);
  }
  return { ...cluster, routers };
}

/** /16 networks of 10.0.0.0/8 that no interface of this machine is in; several clusters may live on one box. */
function freeSubnets(count: number, hosts: readonly ClusterHost[], random: () => number): string[] {
  const used = new Set(hosts.map((host) => host.subnet));
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) used.add(address.split(".").slice(0, 2).join("."));
  }
  const free = Array.from({ length: 192 }, (_, index) => `10.${index + 64}`).filter(
    (subnet) => !used.has(subnet),
  );
  if (free.length < count) {
    throw new RefusedError(
      refusal("insufficient_capacity", "no free 10.x.0.0/16 network: remove another cluster"),
    );
  }
  const start = Math.floor(random() * free.length);
  return Array.from({ length: count }, (_, index) => free[(start + index) % free.length]!);
}
