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
  type User,
} from "#topology";
import type { Islands } from "./islands.ts";
import {
  type NatsServer,
  type NatsServerPlace,
  type NatsServerShore,
  startNatsServer,
} from "./nats-server.ts";

/** What `connectBus` takes. */
export interface TestBusSettings {
  readonly servers: readonly string[];
  readonly user: User;
  readonly seed: string;
  readonly name: string;
}

/** A host of a topology under test: its leaf, and what its agent and its link connect with. */
export interface TestHost {
  readonly hostId: string;
  readonly region: string;
  readonly leaf: NatsServer;
  readonly agent: Credential;
  readonly link: Credential;
  /** For the agent, at its leaf. */
  readonly bus: TestBusSettings;
}

/** A hub and its hosts' leaf nodes with the configurations that production uses. */
export interface Topology {
  readonly hub: NatsServer;
  readonly hosts: ReadonlyMap<string, TestHost>;
  /** What a service connects to the hub with. */
  readonly credential: (service: HubService) => Credential;
  /** For a service, at the hub. */
  readonly bus: (service: HubService) => TestBusSettings;
  /** Adds a host while the hub runs: its configuration is written again and reloaded. */
  join(hostId: string): Promise<TestHost>;
  /** Resolves when the hub holds a link to each of these hosts, all of them unless told. */
  linked(hostIds?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a hub and a leaf per host, in region `local` unless told. Resolves when all links are up. */
export async function startTopology(options: {
  readonly hosts: readonly string[];
  readonly regionOf?: (hostId: string) => string;
  /** Each host's leaf runs on the island of its name. */
  readonly islands?: Islands;
}): Promise<Topology> {
  const regionOf = options.regionOf ?? (() => "local");
  const services = Object.fromEntries(
    HUB_SERVICES.map((service) => [service, mintCredential(service)]),
  ) as Record<HubService, Credential>;
  const links = new Map(options.hosts.map((hostId) => [hostId, mintCredential(leafUser(hostId))]));
  const configOf = (place: NatsServerPlace) => hubText(place, regionOf, services, links);
  const { islands } = options;
  const hub = await startNatsServer(configOf, islands && { leafHost: islands.hubAddress });
  const hosts = new Map<string, TestHost>();
  const startHost = async (hostId: string, link: Credential) => {
    const shore = islands && { host: islands.addressOf(hostId), command: islands.commandIn(hostId) };
    const host = await startLeaf(hub, hostId, regionOf(hostId), link, shore);
    hosts.set(hostId, host);
    await linked(hub, [hostId]);
    return host;
  };
  await Promise.all([...links].map(([hostId, link]) => startHost(hostId, link)));
  return {
    hub,
    hosts,
    credential: (service) => services[service],
    bus: (service) => busSettings(hub, services[service]),
    join: async (hostId) => {
      const link = mintCredential(leafUser(hostId));
      links.set(hostId, link);
      await hub.reload(configOf(hub));
      return startHost(hostId, link);
    },
    linked: (hostIds) => linked(hub, hostIds ?? [...hosts.keys()]),
    stop: async () => {
      const leaves = [...hosts.values()].map((host) => host.leaf);
      await Promise.all([hub, ...leaves].map((server) => server.stop()));
    },
  };
}

function busSettings(server: NatsServer, { user, seed }: Credential): TestBusSettings {
  return { servers: [server.url], user, seed, name: user };
}

/** Polls: a server tells nobody when a link comes up. */
async function linked(hub: NatsServer, hostIds: readonly string[]): Promise<void> {
  for (;;) {
    const answer = await fetch(`${hub.monitorUrl}/leafz`).catch(() => undefined);
    const { leafs } = ((await answer?.json()) ?? {}) as { leafs?: readonly { readonly name: string }[] };
    const names = new Set(leafs?.map(({ name }) => name));
    if (hostIds.every((hostId) => names.has(leafUser(hostId)))) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

function hubText(
  place: NatsServerPlace,
  regionOf: (hostId: string) => string,
  services: Readonly<Record<HubService, Credential>>,
  links: ReadonlyMap<string, Credential>,
): string {
  return hubConfig({
    serverName: "hub-1",
    listen: place,
    leafListen: { host: place.leafHost, port: place.leafPort },
    monitorPort: place.monitorPort,
    storeDir: place.storeDir,
    services: Object.fromEntries(
      Object.entries(services).map(([service, credential]) => [service, credential.publicKey]),
    ) as Record<HubService, string>,
    hosts: [...links].map(
      ([hostId, { publicKey }]): LinkedHost => ({
        hostId,
        region: regionOf(hostId),
        publicKey,
      }),
    ),
  });
}

async function startLeaf(
  hub: NatsServer,
  hostId: string,
  region: string,
  link: Credential,
  shore?: NatsServerShore,
): Promise<TestHost> {
  const agent = mintCredential(agentUser(hostId));
  const text = (place: NatsServerPlace) => leafText(place, hub, { hostId, region, agent, link });
  const leaf = await startNatsServer(text, shore);
  return { hostId, region, leaf, agent, link, bus: busSettings(leaf, agent) };
}

/** A leaf's configuration, and beside it the file with the link's seed. */
export async function leafText(
  place: NatsServerPlace,
  hub: NatsServer,
  host: {
    readonly hostId: string;
    readonly region: string;
    readonly agent: Credential;
    readonly link: Credential;
  },
): Promise<string> {
  await writeFile(join(place.folder, "link.conf"), linkSeedText(host.link.seed), { mode: 0o600 });
  return leafConfig({
    hostId: host.hostId,
    region: host.region,
    listen: place,
    monitorPort: place.monitorPort,
    storeDir: place.storeDir,
    agentPublicKey: host.agent.publicKey,
    hubUrls: [hub.leafUrl],
    linkSeedFile: "link.conf",
  });
}
