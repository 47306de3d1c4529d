import { list, quoted, type ServerSettings, serverBlock, userBlock } from "./config-text.ts";
import { agentUser, leafUser } from "./credentials.ts";
import { assertHost, HUB_DOMAIN } from "./hub-config.ts";
import { agentPermissions } from "./permissions.ts";

export interface LeafSettings extends ServerSettings {
  readonly hostId: string;
  readonly region: string;
  /** Public key of `agent-<hostId>`. */
  readonly agentPublicKey: string;
  /** Where the hub's servers listen for leaf nodes: "nats-leaf://host:port". */
  readonly hubUrls: readonly string[];
  /** A file (0600) beside the configuration that holds `linkSeedText`. */
  readonly linkSeedFile: string;
}

/**
 * A host's leaf: its JetStream domain is the host's id. Holds no secret; the link's seed is in a file it includes. The link is tried
 * again four times a second: after a partition everybody waits for it (F37, F47).
 */
export function leafConfig(settings: LeafSettings): string {
  const { hostId, region } = settings;
  assertHost(hostId, region);
  const agent = agentPermissions(hostId, region);
  return `${serverBlock(leafUser(hostId), hostId, settings)}
leafnodes {
  reconnect: "250ms"
  remotes: [ {
    urls: ${list(settings.hubUrls)}
    account: DROVER
    ignore_discovered_servers: true
    include ${quoted(settings.linkSeedFile)}
    deny_imports: ${list(deniedFromHub(hostId))}
    deny_exports: ${list(DENIED_TO_HUB)}
  } ]
}
accounts {
  DROVER {
    jetstream: enabled
    users: [
${userBlock(agentUser(hostId), settings.agentPublicKey, "STANDARD", agent)}
    ]
  }
}
`;
}

/** What the file named by `linkSeedFile` holds. */
export function linkSeedText(seed: string): string {
  return `nkey: ${seed}\n`;
}

/** The whole stream API but `CONSUMER.CREATE`, by which the hub sources a log. */
const STREAM_API = [
  ...["INFO", "STREAM.>", "DIRECT.>", "META.>", "SERVER.>", "ACCOUNT.>"],
  ...["DURABLE", "NAMES", "LIST", "INFO", "DELETE", "MSG", "LEADER", "PAUSE", "UNPIN", "RESET"].map(
    (verb) => `CONSUMER.${verb}.>`,
  ),
];

/** The leaf's own fence, should the hub's be missing: nothing from outside writes, reads or manages its log (I1). */
function deniedFromHub(hostId: string): string[] {
  return ["evt.>", ...STREAM_API.map((call) => `$JS.${hostId}.API.${call}`)];
}

/** In the other direction: a host commands nobody, and its events reach the hub only as the hub sources them. */
const DENIED_TO_HUB = ["evt.>", "cmd.host.>", "cmd.region.>", `$JS.${HUB_DOMAIN}.API.>`];
