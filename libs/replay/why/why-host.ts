import type { EventType, RecordedEvent } from "#contracts";
import { findHost } from "#fleet";
import { type Timeline, type World } from "#timeline";
import { timeText } from "../phrases.ts";
import { causesOf } from "./act-cause.ts";
import { actsOf } from "./acts.ts";
import type { Explanation } from "./explanation.ts";
import { hostWaits } from "./waiting.ts";

/** What a host's state came of. */
const TOLD: ReadonlySet<EventType> = new Set<EventType>([
  "HostRegistered",
  "HostLogOpened",
  "AgentEpochClaimed",
  "HostCapacityMeasured",
  "HostCordoned",
  "HostUncordoned",
  "UnknownContainerFound",
  "HostAlarmRaised",
  "HostCommandRefused",
]);
/** Of each type; older ones are told of by `replay log`. */
const MOST = 5;

/** Why a host is as it is: what it said of itself, what it was told, and what waits there. */
export async function whyHost(
  timeline: Timeline,
  hostId: string,
  world: World,
  nowMs: number,
): Promise<Explanation> {
  const byType = new Map<EventType, RecordedEvent[]>();
  const reservations: RecordedEvent[] = [];
  const host = findHost(world.view, hostId);
  const until = { kind: "position", position: world.position } as const;
  for await (const batch of timeline.history.ordered({ hostId, until })) {
    for (const event of batch) {
      if (event.type === "ReservationMade" && host?.reservations.has(event.data.reservationId))
        reservations.push(event);
      if (TOLD.has(event.type))
        byType.set(event.type, [...(byType.get(event.type) ?? []), event].slice(-MOST));
    }
  }
  const events = [...byType.values()].flat().sort((a, b) => (a.header.clock < b.header.clock ? -1 : 1));
  const told = [...events, ...reservations].map((event) => ({ event, changes: [] }));
  return {
    headline: headline(hostId, host),
    causes: causesOf(actsOf(told.slice(0, events.length)).filter(({ parent }) => parent === undefined)),
    stuck: hostWaits({ world, nowMs, told }, hostId),
  };
}

function headline(hostId: string, host: ReturnType<typeof findHost>): string {
  if (host === undefined) return `host ${hostId} has told of nothing yet`;
  const { cordon, capacity, machines, departed, agentEpoch } = host;
  const cordoned =
    cordon === undefined ? "" : `, cordoned by ${cordon.owner} until ${timeText(cordon.expiresAtMs)}`;
  const count = machines.size - departed.length;
  return `host ${hostId} has ${count} machines and ${capacity.memoryMib} MiB; its agent is of epoch ${agentEpoch}${cordoned}`;
}
