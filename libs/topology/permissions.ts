import {
  type ControlKind,
  HOST_TO_SCHEDULER_VERBS,
  HOST_VERBS,
  type HostVerb,
  SCHEDULER_VERBS,
  subjects,
  VOLUMES_VERBS,
} from "#contracts";
import { agentUser, type HubService, type User } from "./credentials.ts";

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
  /** What routers tell of requests. */
  readonly traces: string;
}

export const DEFAULT_HUB_STREAMS: HubStreams = { fleet: ["FLEET"], control: "CONTROL", traces: "TRACES" };

/** The services that call hosts, and so are answered by them. */
const ASKS_HOSTS = ["api", "scheduler", "router", "volumes"] as const satisfies readonly HubService[];

/** What one service may do at the hub. */
export function servicePermissions(service: HubService, streams: HubStreams): Permissions {
  const own = inboxOf(service);
  const read = readsStreams([...streams.fleet, streams.control]);
  const traces = readsStreams([streams.traces]);
  const live = subjects.live("*");
  const command = (...verbs: HostVerb[]) => verbs.map((verb) => subjects.hostCommand("*", verb));
  const append = (...kinds: ControlKind[]) => kinds.map((kind) => subjects.control(kind, ">"));
  switch (service) {
    case "api":
      return {
        publish: [
          ...read,
          ...traces,
          ...command("machine", "exec", "get", "inspect", "events", "logs", "cordon", "get-volume"),
          subjects.execInput("*", "*"),
          ...(["place", "survey"] as const).map((verb) => subjects.scheduler(verb)),
          ...VOLUMES_VERBS.map((verb) => subjects.volumes(verb)),
          ...append("app", "name", "idempotency", "token", "hostname", "drift"),
        ],
        subscribe: [own, live, subjects.logLines("*", "*"), subjects.execOutput("*", "*")],
        responds: false,
      };
    case "scheduler":
      return {
        publish: [
          ...read,
          `$JS.API.STREAM.INFO.${streams.traces}`,
          ...[...streams.fleet, streams.control, streams.traces].flatMap(keepsStream),
          ...command("offer", "commit", "commit-volume", "release", "get", "inspect", "events"),
          subjects.bid("*"),
          ...append("machine", "volume", "host"),
        ],
        subscribe: [
          own,
          live,
          ...SCHEDULER_VERBS.map((verb) => subjects.scheduler(verb)),
          ...asksScheduler("*"),
        ],
        responds: true,
      };
    case "router":
      return {
        publish: [...read, ...command("wake", "get", "events"), subjects.load("*"), subjects.trace("*", "*")],
        subscribe: [own, live],
        responds: false,
      };
    case "volumes":
      return {
        publish: [...read, ...command("volume", "snapshot", "events"), subjects.scheduler("place-volume")],
        subscribe: [own, live, ...VOLUMES_VERBS.map((verb) => subjects.volumes(verb))],
        responds: true,
      };
    case "cli":
      return { publish: [...read, ...traces], subscribe: [own], responds: false };
  }
}

/**
 * What may cross a host's leaf link, seen from the hub: `publish` comes from the leaf, `subscribe` goes to it. The hub
 * enforces both, whatever the leaf does; a leaf that publishes more is cut off. Tried on 2.15.1: `allow_responses` has
 * no effect on a link, so answers need a subject of their own; and a service's wildcard hears a host only where the
 * link's entry is one subject of it (`live.host.*` does, `logs.host.*.*` does not).
 *
 * Of JetStream exactly this crosses (tried on 2.15.1): the hub's source asks `$JS.<host>.API.CONSUMER.CREATE.<stream>.…`
 * and is answered on `$JSC.R.<id>`, the leaf delivers to `sourceDelivery`, and flow control answers on `$JS.FC.<stream>.…`.
 */
export function leafLinkPermissions(hostId: string, region: string): Permissions {
  return {
    publish: [
      ...speaksAs(hostId),
      ...ASKS_HOSTS.map((service) => `${subjects.answers(service)}.>`),
      `${sourceDelivery(hostId)}.>`,
      "$JSC.R.>",
    ],
    subscribe: [...hearsAs(hostId, region), `$JS.${hostId}.API.CONSUMER.CREATE.>`, "$JS.FC.>"],
    responds: false,
  };
}

/** What the agent may do on its own leaf, where nobody else has a user. */
export function agentPermissions(hostId: string, region: string): Permissions {
  return {
    publish: [subjects.hostLog(hostId), "$JS.API.>", "$JS.ACK.>", ...speaksAs(hostId)],
    subscribe: hearsAs(hostId, region),
    responds: true,
  };
}

/** Where a host's leaf delivers what the hub sources: `external.deliver` of the source. */
export function sourceDelivery(hostId: string): string {
  return `source.host.${hostId}`;
}

/** What a host says to the hub: the live feed, log lines, output of execs, and its own calls to the scheduler. */
function speaksAs(hostId: string): string[] {
  return [
    subjects.live(hostId),
    subjects.logLines(hostId, "*"),
    subjects.execOutput(hostId, "*"),
    ...asksScheduler(hostId),
  ];
}

/** What a host hears from the hub: commands addressed to it, requests for bids in its region, its answers. */
function hearsAs(hostId: string, region: string): string[] {
  return [
    ...HOST_VERBS.map((verb) => subjects.hostCommand(hostId, verb)),
    subjects.bid(region),
    subjects.load(hostId),
    subjects.execInput(hostId, "*"),
    inboxOf(agentUser(hostId)),
  ];
}

function asksScheduler(hostId: string): string[] {
  return HOST_TO_SCHEDULER_VERBS.map((verb) => subjects.hostToScheduler(hostId, verb));
}

function inboxOf(user: User): string {
  return `${subjects.inbox(user)}.>`;
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
