import { join } from "node:path";
import { type Ids, RefusedError, refusal } from "#kernel";
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
import { addressOf } from "../settings.ts";
import type { Cluster, ClusterHost } from "./cluster-file.ts";
import { readIfThere, writeFileAtomic } from "./files.ts";
import type { Layout } from "./layout.ts";

/** What each host of a local cluster may promise: this machine's own resources, divided. */
export interface HostShare {
  readonly cpuMillis: number;
  readonly memoryMib: number;
}

/** Where the hub is for the others. */
export interface HubPlace {
  /** By what name or address services reach it. */
  readonly name: string;
  /** Likewise its ports for leaves and for its monitor, which listen on an address of their own. */
  readonly inner: { readonly name: string; readonly listen: string };
}

/** What settings say beside what the cluster file does. */
export interface SettingsChoice {
  readonly share: HostShare;
  readonly allowUnsafe: boolean;
  /** Where each process has a network of its own; all on this machine without it. */
  readonly hub?: HubPlace | undefined;
  /** IPv4 addresses of routers that have a network of their own. */
  readonly routersElsewhere?: readonly string[];
  /** Postgres for the read model; PGlite without it. May hold a password. */
  readonly databaseUrl?: string | undefined;
}

const PRIVATE = 0o600;

/** Writes a file. `settings`: the settings that it belongs to, when it is not those itself. */
type Write = (file: string, content: unknown, settings?: string) => Promise<void>;

/**
 * Writes every process's settings from the cluster file. The same cluster gives the same files, so it runs at each
 * `up`; seeds and the token are made once and kept. Returns the settings files that say something else than before.
 */
export async function writeSettings(
  cluster: Cluster,
  layout: Layout,
  { share, allowUnsafe, databaseUrl, routersElsewhere, hub = onThisMachine(cluster) }: SettingsChoice,
  ids: Ids,
): Promise<ReadonlySet<string>> {
  const changed = new Set<string>();
  const write: Write = async (file, content, settings = file) => {
    const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
    if (await writeFileAtomic(file, text, PRIVATE)) changed.add(settings);
  };
  await keepToken(layout, ids, write);
  const services = await serviceCredentials(layout, write);
  await writeHub(cluster, hub.inner.listen, layout, services, write);
  const hubUrls = [`nats-leaf://${addressOf({ host: hub.inner.name, port: cluster.hubLeafPort })}`];
  for (const host of cluster.hosts)
    await writeHost(cluster, host, layout, { share, allowUnsafe, routersElsewhere, hubUrls }, write);
  const hubUrl = `nats://${addressOf({ ...cluster.nats, host: hub.name })}`;
  const monitorUrl = `http://${addressOf({ host: hub.inner.name, port: cluster.hubMonitorPort })}`;
  const at = (service: HubService) => ({ servers: [hubUrl], seedFile: layout.seedFile(service) });
  const common = { clusterId: cluster.clusterId, region: cluster.region, monitorUrl, allowUnsafe };
  const inner = [
    ["scheduler", cluster.schedulerHealthPort],
    ["volumes", cluster.volumesHealthPort],
  ] as const;
  for (const [name, port] of inner) {
    if (port === undefined) continue;
    const listen = { host: "127.0.0.1", port };
    const dataDir = layout.serviceDir(name);
    await write(layout.serviceConfig(name), { ...common, nats: at(name), listen, dataDir });
  }
  await write(layout.serviceConfig("api"), {
    ...common,
    nats: at("api"),
    listen: cluster.api,
    dataDir: layout.serviceDir("api"),
    timelineDir: layout.timelineDir,
    adminTokenFile: layout.tokenFile,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  for (const { routerId, port, healthPort } of cluster.routers) {
    await write(layout.serviceConfig(routerId), {
      clusterId: cluster.clusterId,
      region: cluster.region,
      routerId,
      nats: at("router"),
      listen: { host: cluster.http.host, port },
      healthListen: { host: "127.0.0.1", port: healthPort },
      dataDir: layout.serviceDir(routerId),
    });
  }
  return changed;
}

function onThisMachine({ nats }: Cluster): HubPlace {
  return { name: nats.host, inner: { name: "127.0.0.1", listen: "127.0.0.1" } };
}

async function writeHub(
  cluster: Cluster,
  listen: string,
  layout: Layout,
  services: Readonly<Record<HubService, Credential>>,
  write: Write,
): Promise<void> {
  const hosts = await Promise.all(
    cluster.hosts.map(async ({ hostId }) => {
      const { publicKey } = await keepSeed(layout, leafUser(hostId), write, layout.leafConfig(hostId));
      return { hostId, region: cluster.region, publicKey };
    }),
  );
  const publicKeys = Object.entries(services).map(([service, credential]) => [service, credential.publicKey]);
  const text = hubConfig({
    serverName: `hub-${cluster.clusterId}`,
    listen: cluster.nats,
    leafListen: { host: listen, port: cluster.hubLeafPort },
    monitorPort: cluster.hubMonitorPort,
    monitorHost: listen,
    storeDir: join(layout.hubDir, "jetstream"),
    services: Object.fromEntries(publicKeys) as Record<HubService, string>,
    hosts,
  });
  await write(layout.hubConfig, text);
}

/** What settings of hosts say beside what the cluster file does. */
interface HostChoice extends Pick<SettingsChoice, "share" | "allowUnsafe" | "routersElsewhere"> {
  readonly hubUrls: readonly string[];
}

async function writeHost(
  cluster: Cluster,
  host: ClusterHost,
  layout: Layout,
  { share, allowUnsafe, routersElsewhere, hubUrls }: HostChoice,
  write: Write,
): Promise<void> {
  const { hostId, subnet } = host;
  const { clusterId, region } = cluster;
  const link = await keepSeed(layout, leafUser(hostId), write, layout.leafConfig(hostId));
  const agent = await keepSeed(layout, agentUser(hostId), write, layout.agentConfig(hostId));
  const linkSeedFile = join(layout.leafDir(hostId), "link.conf");
  await write(linkSeedFile, linkSeedText(link.seed), layout.leafConfig(hostId));
  const text = leafConfig({
    hostId,
    region,
    listen: { host: "127.0.0.1", port: host.leafPort },
    monitorPort: host.monitorPort,
    storeDir: join(layout.leafDir(hostId), "jetstream"),
    agentPublicKey: agent.publicKey,
    hubUrls,
    // Relative to the configuration: nats-server joins an absolute one to its folder.
    linkSeedFile: "link.conf",
  });
  await write(layout.leafConfig(hostId), text);
  await write(layout.agentConfig(hostId), {
    clusterId,
    hostId,
    region,
    subnet,
    dataDir: layout.hostDir(hostId),
    nats: { servers: [`nats://127.0.0.1:${host.leafPort}`], seedFile: layout.seedFile(agentUser(hostId)) },
    monitorUrl: `http://127.0.0.1:${host.monitorPort}`,
    listen: { host: "127.0.0.1", port: host.healthPort },
    capacity: share,
    ...(routersElsewhere === undefined ? {} : { routers: routersElsewhere }),
    allowUnsafe,
  });
}

async function serviceCredentials(layout: Layout, write: Write): Promise<Record<HubService, Credential>> {
  const entries = await Promise.all(
    HUB_SERVICES.map(async (service) => {
      return [service, await keepSeed(layout, service, write, layout.serviceConfig(service))] as const;
    }),
  );
  return Object.fromEntries(entries) as Record<HubService, Credential>;
}

/** The user's key pair: the one on disk, else a new one. `settings`: of the process that signs with it. */
async function keepSeed(layout: Layout, user: User, write: Write, settings: string): Promise<Credential> {
  const file = layout.seedFile(user);
  const seed = await readIfThere(file);
  if (seed !== undefined) return readSeed(user, seed, file);
  const minted = mintCredential(user);
  await write(file, `${minted.seed}\n`, settings);
  return minted;
}

function readSeed(user: User, seed: string, file: string): Credential {
  try {
    return credentialFromSeed(user, seed);
  } catch {
    // What it holds is told to nobody.
    const message = `${file} is damaged: restore it from a backup, or remove it and have a new key made`;
    throw new RefusedError(refusal("invalid", message));
  }
}

async function keepToken(layout: Layout, ids: Ids, write: Write): Promise<void> {
  if ((await readIfThere(layout.tokenFile)) !== undefined) return;
  await write(layout.tokenFile, `drover_${ids.randomHex(24)}\n`, layout.serviceConfig("api"));
}
