import { type Ids, RefusedError, refusal } from "#kernel";
import { addressOf } from "../settings.ts";
import type { Cluster, Listen } from "./cluster-file.ts";
import { freePorts, portsOf, whyTaken } from "./ports.ts";

const FIRST_ROUTER = "router-1";

/** Whether the process of that name runs, on the ports of the cluster as it was: those are taken by itself. */
type Runs = (process: string) => boolean;

/**
 * The cluster with other inner ports where somebody took one while it was down. What users chose stays: a refusal
 * says which of those is taken.
 */
export async function settlePorts(
  cluster: Cluster,
  before: Cluster | undefined,
  runs: Runs,
  ids: Ids,
): Promise<Cluster> {
  await assertChosenFree(cluster, before, runs);
  const avoided = portsOf(cluster);
  const settle = async (port: number, process: string, host = "127.0.0.1") => {
    if (runs(process) || (await whyTaken({ host, port })) === undefined) return port;
    const [other] = await freePorts(1, () => ids.random(), avoided);
    avoided.add(other!);
    return other!;
  };
  const hosts: Cluster["hosts"] = [];
  for (const host of cluster.hosts) {
    hosts.push({
      ...host,
      leafPort: await settle(host.leafPort, `leaf-${host.hostId}`),
      monitorPort: await settle(host.monitorPort, `leaf-${host.hostId}`),
      healthPort: await settle(host.healthPort, `agent-${host.hostId}`),
    });
  }
  const routers: Cluster["routers"] = [];
  for (const [index, router] of cluster.routers.entries()) {
    const { routerId, port, healthPort } = router;
    routers.push({
      routerId,
      port: index === 0 ? port : await settle(port, routerId, cluster.http.host),
      healthPort: await settle(healthPort, routerId),
    });
  }
  return {
    ...cluster,
    hubLeafPort: await settle(cluster.hubLeafPort, "hub"),
    hubMonitorPort: await settle(cluster.hubMonitorPort, "hub"),
    schedulerHealthPort: await settle(cluster.schedulerHealthPort, "scheduler"),
    ...(cluster.volumesHealthPort !== undefined && {
      volumesHealthPort: await settle(cluster.volumesHealthPort, "volumes"),
    }),
    hosts,
    routers,
  };
}

async function assertChosenFree(cluster: Cluster, before: Cluster | undefined, runs: Runs): Promise<void> {
  const wanted: { listen: Listen; own: number | undefined; flag: string }[] = [
    { listen: cluster.nats, own: runs("hub") ? before?.nats.port : undefined, flag: "--nats" },
    { listen: cluster.api, own: runs("api") ? before?.api.port : undefined, flag: "--api" },
    { listen: cluster.http, own: runs(FIRST_ROUTER) ? before?.http.port : undefined, flag: "--http" },
  ];
  const chosen = [cluster.nats.port, cluster.api.port, cluster.http.port];
  if (new Set(chosen).size < chosen.length)
    throw new RefusedError(refusal("invalid", "--nats, --api and --http need a port each: choose others"));
  for (const { listen, own, flag } of wanted) {
    const why = listen.port === own ? undefined : await whyTaken(listen);
    if (why === undefined) continue;
    const message = `${addressOf(listen)} ${why}: free it, or choose another with ${flag} HOST:PORT`;
    throw new RefusedError(refusal("port_taken", message));
  }
}
