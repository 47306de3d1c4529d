import { subjects } from "#contracts";
import { agentUser, type HubService, inboxPrefix } from "./credentials.ts";

/** What a user may do; whatever is not listed is denied. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** May answer the requests that it was sent, and nothing else on their reply subjects. */
  readonly responds: boolean;
}

/** Hub streams that hold what the hosts logged, and what belongs to no host. */
export interface HubStreams {
  readonly fleet: readonly string[];
  readonly control: string;
}

export const DEFAULT_HUB_STREAMS: HubStreams = { fleet: ["FLEET"], control: "CONTROL" };

/** What one service may do at the hub. */
export function servicePermissions(service: Exclude<HubService, "sys">, streams: HubStreams): Permissions {
  const own = [`${inboxPrefix(service)}.>`];
  const read = readsStreams([...streams.fleet, streams.control]);
  const live = subjects.live("*");
  const command = (...verbs: Parameters<typeof subjects.hostCommand>[1][]) =>
    verbs.map((verb) => subjects.hostCommand("*", verb));
  switch (service) {
    case "api":
      return {
        publish: [
          ...read,
          ...command("machine", "get", "inspect", "events", "logs", "cordon"),
          subjects.scheduler("place"),
          ...(["app", "name", "idempotency", "token"] as const).map((kind) => subjects.control(kind, "*")),
        ],
        subscribe: [...own, live],
        responds: false,
      };
    case "scheduler":
      return {
        publish: [
          ...read,
          ...[...streams.fleet, streams.control].flatMap(keepsStream),
          ...command("offer", "commit", "release", "get", "inspect", "events"),
          subjects.bid("*"),
          ...(["machine", "host"] as const).map((kind) => subjects.control(kind, "*")),
        ],
        subscribe: [...own, live, "cmd.scheduler.*"],
        responds: true,
      };
    case "router":
      return {
        publish: [...read, ...command("machine", "get")],
        subscribe: [...own, live],
        responds: false,
      };
    case "volumes":
      return { publish: [...read, ...command("get")], subscribe: [...own, live], responds: false };
    case "cli":
      return { publish: read, subscribe: own, responds: false };
  }
}

/**
 * What may cross a host's leaf link, seen from the hub: `publish` comes from the leaf, `subscribe` goes to it.
 *
 * Of JetStream exactly this crosses (tried on 2.15.1): the hub's source asks `$JS.<host>.API.CONSUMER.CREATE.<stream>.…`
 * (with reply `$JSC.R.<id>`), the leaf delivers to `SOURCE_DELIVERY`, and flow control answers on `$JS.FC.<stream>.…`.
 */
export function leafLinkPermissions(hostId: string, region: string): Permissions {
  return {
    publish: [subjects.live(hostId), sourceDelivery(hostId, ">"), ...agentAtHub(hostId)],
    subscribe: [
      subjects.hostCommand(hostId, "*" as never),
      subjects.bid(region),
      `${inboxPrefix(agentUser(hostId))}.>`,
      `$JS.${hostId}.API.CONSUMER.CREATE.>`,
      "$JS.FC.>",
    ],
    responds: true,
  };
}

/** What the agent may do on its own leaf, where nobody else has a user. */
export function agentPermissions(hostId: string, region: string): Permissions {
  return {
    publish: [
      subjects.hostLog(hostId),
      "$JS.API.>",
      "$JS.ACK.>",
      subjects.live(hostId),
      ...agentAtHub(hostId),
    ],
    subscribe: [
      subjects.hostCommand(hostId, "*" as never),
      subjects.bid(region),
      `${inboxPrefix(agentUser(hostId))}.>`,
    ],
    responds: true,
  };
}

/** Where a host's leaf delivers what the hub sources: `external.deliver` of the source is `sourceDelivery(hostId)`. */
export function sourceDelivery(hostId: string, rest?: string): string {
  return rest === undefined ? `source.host.${hostId}` : `source.host.${hostId}.${rest}`;
}

/** An agent writes its own registration at the hub and asks what the hub holds of its log; nothing else. */
function agentAtHub(hostId: string): string[] {
  return [subjects.control("host", hostId)];
}

function readsStreams(names: readonly string[]): string[] {
  return [
    "$JS.API.INFO",
    ...names.flatMap((name) => [
      `$JS.API.STREAM.INFO.${name}`,
      `$JS.API.STREAM.MSG.GET.${name}`,
      `$JS.API.DIRECT.GET.${name}`,
      `$JS.API.DIRECT.GET.${name}.>`,
      `$JS.API.CONSUMER.CREATE.${name}`,
      `$JS.API.CONSUMER.CREATE.${name}.>`,
      `$JS.API.CONSUMER.INFO.${name}.*`,
      `$JS.API.CONSUMER.MSG.NEXT.${name}.*`,
      `$JS.API.CONSUMER.DELETE.${name}.*`,
    ]),
  ];
}

/** Creates and changes a stream. Nobody at the hub may purge or delete one. */
function keepsStream(name: string): string[] {
  return [`$JS.API.STREAM.CREATE.${name}`, `$JS.API.STREAM.UPDATE.${name}`];
}
