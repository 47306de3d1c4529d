import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "#kernel";
import {
  agentUser,
  type Credential,
  credentialFromSeed,
  HUB_SERVICES,
  type HubService,
  hubConfig,
  leafConfig,
  leafUser,
  linkSeedText,
  mintCredential,
  type User,
} from "#topology";
import type { Cluster, ClusterHost } from "./cluster-file.ts";
import { writeFileAtomic } from "./files.ts";
import type { Layout } from "./layout.ts";

/** What each host of a local cluster may promise: this machine's own resources, divided. */
export interface HostShare {
  readonly cpuMillis: number;
  readonly memoryMib: number;
}

const PRIVATE = 0o600;

/**
 * Writes every process's settings from the cluster file. The same cluster gives the same files, so it runs at each
 * `up`; seeds and the token are made once and kept.
 */
export async function writeSettings(
  cluster: Cluster,
  layout: Layout,
  share: HostShare,
  allowUnsafe: boolean,
  ids: Ids,
): Promise<void> {
  await mkdir(layout.secretsDir, { recursive: true, mode: 0o700 });
  await keepToken(layout, ids);
  const services = await serviceCredentials(layout);
  await writeHub(cluster, layout, services);
  for (const host of cluster.hosts) await writeHost(cluster, host, layout, share, allowUnsafe);
  const hubUrl = `nats://${cluster.nats.host}:${cluster.nats.port}`;
  const monitorUrl = `http://127.0.0.1:${cluster.hubMonitorPort}`;
  const at = (service: HubService) => ({ servers: [hubUrl], seedFile: layout.seedFile(service) });
  const common = { clusterId: cluster.clusterId, region: cluster.region, monitorUrl, allowUnsafe };
  await writeJson(layout.serviceConfig("scheduler"), {
    ...common,
    nats: at("scheduler"),
    listen: { host: "127.0.0.1", port: cluster.schedulerHealthPort },
    dataDir: layout.serviceDir("scheduler"),
  });
  await writeJson(layout.serviceConfig("api"), {
    ...common,
    nats: at("api"),
    listen: cluster.api,
    dataDir: layout.serviceDir("api"),
    adminTokenFile: layout.tokenFile,
  });
}

async function writeHub(
  cluster: Cluster,
  layout: Layout,
  services: Readonly<Record<HubService, Credential>>,
): Promise<void> {
  const hosts = await Promise.all(
    cluster.hosts.map(async ({ hostId }) => {
      const { publicKey } = await keepSeed(layout, leafUser(hostId));
      return { hostId, region: cluster.region, publicKey };
    }),
  );
  const publicKeys = Object.entries(services).map(([service, credential]) => [service, credential.publicKey]);
  const text = hubConfig({
    serverName: `hub-${cluster.clusterId}`,
    listen: cluster.nats,
    leafListen: { host: "127.0.0.1", port: cluster.hubLeafPort },
    monitorPort: cluster.hubMonitorPort,
    storeDir: join(layout.hubDir, "jetstream"),
    services: Object.fromEntries(publicKeys) as Record<HubService, string>,
    hosts,
  });
  await writeFileAtomic(layout.hubConfig, text, PRIVATE);
}

async function writeHost(
  cluster: Cluster,
  host: ClusterHost,
  layout: Layout,
  share: HostShare,
  allowUnsafe: boolean,
): Promise<void> {
  const { hostId, subnet } = host;
  const { clusterId, region } = cluster;
  const link = await keepSeed(layout, leafUser(hostId));
  const agent = await keepSeed(layout, agentUser(hostId));
  const linkSeedFile = join(layout.leafDir(hostId), "link.conf");
  await writeFileAtomic(linkSeedFile, linkSeedText(link.seed), PRIVATE);
  const text = leafConfig({
    hostId,
    region,
    listen: { host: "127.0.0.1", port: host.leafPort },
    monitorPort: host.monitorPort,
    storeDir: join(layout.leafDir(hostId), "jetstream"),
    agentPublicKey: agent.publicKey,
    hubUrls: [`nats-leaf://127.0.0.1:${cluster.hubLeafPort}`],
    // Relative to the configuration: nats-server joins an absolute one to its folder.
    linkSeedFile: "link.conf",
  });
  await writeFileAtomic(layout.leafConfig(hostId), text, PRIVATE);
  await writeJson(layout.agentConfig(hostId), {
    clusterId,
    hostId,
    region,
    subnet,
    dataDir: layout.hostDir(hostId),
    nats: { servers: [`nats://127.0.0.1:${host.leafPort}`], seedFile: layout.seedFile(agentUser(hostId)) },
    monitorUrl: `http://127.0.0.1:${host.monitorPort}`,
    listen: { host: "127.0.0.1", port: host.healthPort },
    capacity: share,
    allowUnsafe,
  });
}

async function serviceCredentials(layout: Layout): Promise<Record<HubService, Credential>> {
  const entries = await Promise.all(
    HUB_SERVICES.map(async (service) => [service, await keepSeed(layout, service)] as const),
  );
  return Object.fromEntries(entries) as Record<HubService, Credential>;
}

/** The user's key pair: the one on disk, else a new one. */
async function keepSeed(layout: Layout, user: User): Promise<Credential> {
  const file = layout.seedFile(user);
  const seed = await readIfThere(file);
  if (seed !== undefined) return credentialFromSeed(user, seed);
  const minted = mintCredential(user);
  await writeFileAtomic(file, `${minted.seed}\n`, PRIVATE);
  return minted;
}

async function keepToken(layout: Layout, ids: Ids): Promise<void> {
  if ((await readIfThere(layout.tokenFile)) !== undefined) return;
  await writeFileAtomic(layout.tokenFile, `drover_${ids.randomHex(24)}\n`, PRIVATE);
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function writeJson(file: string, settings: unknown): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(settings, null, 2)}\n`, PRIVATE);
}
