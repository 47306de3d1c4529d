import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  agentUser,
  type Credential,
  HUB_SERVICES,
  type HubService,
  hubConfig,
  type LinkedHost,
  leafConfig,
  leafUser,
  linkSeedText,
  mintCredential,
} from "#topology";
import { type NatsServer, type NatsServerPlace, startNatsServer } from "./nats-server.ts";

/** A host of a topology under test: its leaf, and what its agent connects with. */
export interface TestHost {
  readonly hostId: string;
  readonly leaf: NatsServer;
  readonly agent: Credential;
}

/** A hub and its hosts' leaf nodes with the configurations that production uses. */
export interface Topology {
  readonly hub: NatsServer;
  readonly hosts: ReadonlyMap<string, TestHost>;
  /** What a service connects to the hub with. */
  readonly credential: (service: HubService) => Credential;
  /** Adds a host while the hub runs: its configuration is written again and reloaded. */
  join(hostId: string): Promise<TestHost>;
  stop(): Promise<void>;
}

/** Starts a hub and a leaf per host, all in one region. Links come up by themselves a moment later. */
export async function startTopology(options: {
  readonly hosts: readonly string[];
  readonly region?: string;
}): Promise<Topology> {
  const region = options.region ?? "local";
  const services = Object.fromEntries(
    HUB_SERVICES.map((service) => [service, mintCredential(service)]),
  ) as Record<HubService, Credential>;
  const links = new Map(options.hosts.map((hostId) => [hostId, mintCredential(leafUser(hostId))]));
  const configOf = (place: NatsServerPlace) => hubText(place, region, services, links);
  const hub = await startNatsServer(configOf);
  const hosts = new Map<string, TestHost>();
  const startHost = async (hostId: string, link: Credential) => {
    const host = await startLeaf(hub, hostId, region, link);
    hosts.set(hostId, host);
    return host;
  };
  await Promise.all([...links].map(([hostId, link]) => startHost(hostId, link)));
  return {
    hub,
    hosts,
    credential: (service) => services[service],
    join: async (hostId) => {
      const link = mintCredential(leafUser(hostId));
      links.set(hostId, link);
      await hub.reload(configOf(hub));
      return startHost(hostId, link);
    },
    stop: async () => {
      await Promise.all(
        [hub, ...[...hosts.values()].map((host) => host.leaf)].map((server) => server.stop()),
      );
    },
  };
}

function hubText(
  place: NatsServerPlace,
  region: string,
  services: Readonly<Record<HubService, Credential>>,
  links: ReadonlyMap<string, Credential>,
): string {
  return hubConfig({
    serverName: "hub-1",
    listen: { host: "127.0.0.1", port: place.port },
    leafListen: { host: "127.0.0.1", port: place.leafPort },
    monitorPort: place.monitorPort,
    storeDir: place.storeDir,
    services: Object.fromEntries(
      Object.entries(services).map(([service, credential]) => [service, credential.publicKey]),
    ) as Record<HubService, string>,
    hosts: [...links].map(([hostId, { publicKey }]): LinkedHost => ({ hostId, region, publicKey })),
  });
}

async function startLeaf(
  hub: NatsServer,
  hostId: string,
  region: string,
  link: Credential,
): Promise<TestHost> {
  const agent = mintCredential(agentUser(hostId));
  const leaf = await startNatsServer(async (place) => {
    await writeFile(join(place.folder, "link.conf"), linkSeedText(link.seed), { mode: 0o600 });
    return leafConfig({
      hostId,
      region,
      listen: { host: "127.0.0.1", port: place.port },
      monitorPort: place.monitorPort,
      storeDir: place.storeDir,
      agentPublicKey: agent.publicKey,
      hubUrls: [hub.leafUrl],
      linkSeedFile: "link.conf",
    });
  });
  return { hostId, leaf, agent };
}
