import type { HubService } from "./credentials.ts";
import {
  agentPermissions,
  DEFAULT_HUB_STREAMS,
  type HubStreams,
  leafLinkPermissions,
  type Permissions,
  servicePermissions,
} from "./permissions.ts";

/** An address to listen on. Loopback or a host's own network only: guests must reach no NATS. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface HubSettings {
  readonly serverName: string;
  /** Where services connect. */
  readonly listen: Listen;
  /** Where hosts' leaf nodes connect. */
  readonly leafListen: Listen;
  /** HTTP on 127.0.0.1: `/varz`, `/jsz`. */
  readonly monitorPort: number;
  readonly storeDir: string;
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

export interface LeafSettings {
  readonly hostId: string;
  readonly region: string;
  /** Where the host's agent connects. */
  readonly listen: Listen;
  readonly monitorPort: number;
  readonly storeDir: string;
  /** Public key of `agent-<hostId>`. */
  readonly agentPublicKey: string;
  /** Where the hub's servers listen for leaf nodes: "nats-leaf://host:port". */
  readonly hubUrls: readonly string[];
  /** A file (0600) beside the configuration that holds `linkSeedText`. */
  readonly linkSeedFile: string;
}

/** The hub's configuration. The same settings give the same text; it holds no secret. */
export function hubConfig(settings: HubSettings): string {
  const streams = settings.streams ?? DEFAULT_HUB_STREAMS;
  const { sys, ...services } = settings.services;
  const users = Object.entries(services)
    .map(([service, key]) =>
      userBlock(service, key, servicePermissions(service as keyof typeof services, streams)),
    )
    .concat(
      settings.hosts.map((host) =>
        userBlock(`leaf-${host.hostId}`, host.publicKey, leafLinkPermissions(host.hostId, host.region)),
      ),
    );
  return `${serverBlock(settings.serverName, "hub", settings)}
leafnodes { listen: ${quoted(address(settings.leafListen))}, no_advertise: true }
system_account: SYS
accounts {
  SYS { users: [ { nkey: ${sys} } ] }
  DROVER {
    jetstream: enabled
    users: [
${users.join("\n")}
    ]
  }
}
`;
}

/** A host's leaf: its JetStream domain is the host's id. Holds no secret; the link's seed is in a file it includes. */
export function leafConfig(settings: LeafSettings): string {
  const { hostId, region } = settings;
  return `${serverBlock(`leaf-${hostId}`, hostId, settings)}
leafnodes {
  remotes: [ {
    urls: [${settings.hubUrls.map(quoted).join(", ")}]
    account: DROVER
    include ${quoted(settings.linkSeedFile)}
    deny_imports: ${list(deniedFromHub())}
    deny_exports: ${list(deniedToHub(hostId))}
  } ]
}
accounts {
  DROVER {
    jetstream: enabled
    users: [
${userBlock(`agent-${hostId}`, settings.agentPublicKey, agentPermissions(hostId, region))}
    ]
  }
}
`;
}

/** What the file named by `linkSeedFile` holds. */
export function linkSeedText(seed: string): string {
  return `nkey: ${seed}\n`;
}

/** The leaf's own fence, should the hub's be missing: nothing from outside writes, reads or manages its log. */
function deniedFromHub(): string[] {
  return ["evt.>", "live.>"];
}

function deniedToHub(_hostId: string): string[] {
  return ["evt.host.>", "cmd.>"];
}

function serverBlock(
  name: string,
  domain: string,
  settings: { readonly listen: Listen; readonly monitorPort: number; readonly storeDir: string },
): string {
  return `server_name: ${quoted(name)}
listen: ${quoted(address(settings.listen))}
http: ${quoted(`127.0.0.1:${settings.monitorPort}`)}
jetstream { domain: ${quoted(domain)}, store_dir: ${quoted(settings.storeDir)}, sync_interval: always }`;
}

function userBlock(name: string, publicKey: string, permissions: Permissions): string {
  const responses = permissions.responds ? `\n          allow_responses: { max: 1024, expires: "10m" }` : "";
  return `      { # ${name}
        nkey: ${publicKey}
        permissions {
          publish: { allow: ${list(permissions.publish)} }
          subscribe: { allow: ${list(permissions.subscribe)} }${responses}
        }
      }`;
}

function list(entries: readonly string[]): string {
  return `[${entries.map(quoted).join(", ")}]`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function address(listen: Listen): string {
  return `${listen.host}:${listen.port}`;
}
