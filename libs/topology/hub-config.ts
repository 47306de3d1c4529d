import {
  address,
  assertToken,
  type Listen,
  quoted,
  type ServerSettings,
  serverBlock,
  userBlock,
} from "./config-text.ts";
import { HUB_SERVICES, type HubService, leafUser } from "./credentials.ts";
import {
  DEFAULT_HUB_STREAMS,
  type HubStreams,
  leafLinkPermissions,
  servicePermissions,
} from "./permissions.ts";

/** The hub's JetStream domain. No host may be called like it. */
export const HUB_DOMAIN = "hub";

export interface HubSettings extends ServerSettings {
  readonly serverName: string;
  /** Where hosts' leaf nodes connect. */
  readonly leafListen: Listen;
  /** Public keys of the services. */
  readonly services: Readonly<Record<HubService, string>>;
  /** Hosts that may link. A host that joins is added here; the server takes it over on SIGHUP. */
  readonly hosts: readonly LinkedHost[];
  readonly streams?: HubStreams;
}

export interface LinkedHost {
  readonly hostId: string;
  readonly region: string;
  /** Of the link's user, `leaf-<hostId>`. */
  readonly publicKey: string;
}

/**
 * The hub's configuration. The same settings give the same text; it holds no secret. Nobody has a credential for the
 * system account, and addresses are not advertised: a leaf knows the hub's by its own configuration.
 */
export function hubConfig(settings: HubSettings): string {
  const streams = settings.streams ?? DEFAULT_HUB_STREAMS;
  const services = HUB_SERVICES.map((service) =>
    userBlock(service, settings.services[service], "STANDARD", servicePermissions(service, streams)),
  );
  return `${serverBlock(settings.serverName, HUB_DOMAIN, settings)}
leafnodes { listen: ${quoted(address(settings.leafListen))}, no_advertise: true }
accounts {
  DROVER {
    jetstream: enabled
    users: [
${[...services, ...settings.hosts.map(linkBlock)].join("\n")}
    ]
  }
}
`;
}

function linkBlock({ hostId, region, publicKey }: LinkedHost): string {
  assertHost(hostId, region);
  return userBlock(leafUser(hostId), publicKey, "LEAFNODE", leafLinkPermissions(hostId, region));
}

/** Throws on a host that could not have a domain and subjects of its own. */
export function assertHost(hostId: string, region: string): void {
  assertToken("host id", hostId);
  assertToken("region", region);
  if (hostId === HUB_DOMAIN)
    throw new Error(`no host may be called ${HUB_DOMAIN}: that is the hub's own domain`);
}
