import type { RecordedEvent } from "#contracts";
import { AS_GOOD_AS_THE_BEST } from "#control";
import { wallMsOf } from "#kernel";
import { eventRef } from "../event-ref.ts";
import type { Cause } from "./explanation.ts";

export type PlacementEvent = Extract<
  RecordedEvent,
  { type: "PlacementDecided" | "PlacementRefused" | "VolumePlacementDecided" | "VolumePlacementRefused" }
>;

export function isPlacement(event: RecordedEvent): event is PlacementEvent {
  return event.type.endsWith("PlacementDecided") || event.type.endsWith("PlacementRefused");
}

/** A decision about a place: below it what was bid and refused, and what came of it. */
export function placementCause(event: PlacementEvent, children: readonly Cause[]): Cause {
  const { data } = event;
  const bids = "candidates" in data ? data.candidates : [];
  const isDecided = "hostId" in data;
  const title = isDecided
    ? `placed on ${data.hostId}, epoch ${data.epoch}: ${rankText(data.hostId, bids, data.wish?.policy)}`
    : `no host took it, epoch ${data.epoch}: ${data.error.code}: ${data.error.message}`;
  const wish = wishText(data.wish);
  return {
    kind: "decision",
    title,
    ...(wish === undefined ? {} : { detail: wish }),
    atMs: wallMsOf(event.header.clock),
    event: eventRef(event),
    children: [
      ...bids.map((bid) => bidCause(bid, isDecided && bid.hostId === data.hostId)),
      ...data.refusals.map(refusalCause),
      ...children,
    ],
  };
}

type Bids = Extract<PlacementEvent, { type: "PlacementDecided" }>["data"]["candidates"];

/** Bids stand in the order in which they were ranked, and were offered it: chance decides among those as good as the best. */
function rankText(hostId: string, bids: Bids, policy: "spread" | "pack" = "spread"): string {
  if (bids.length === 0) return "no bid is written down";
  const place = bids.findIndex((bid) => bid.hostId === hostId);
  if (place < 0) return `by none of its ${bids.length} bids`;
  if (bids.length === 1) return "the only bid";
  if (place > 0) return `number ${place + 1} of ${bids.length} bids: those before it took no offer`;
  const enough = Math.max(...bids.map(({ score }) => score)) * AS_GOOD_AS_THE_BEST[policy];
  const equals = bids.filter(({ score }) => score >= enough);
  return equals.length > 1
    ? `by chance among ${equals.length} of ${bids.length} bids that are as good as the best`
    : `the best of ${bids.length} bids`;
}

function bidCause({ hostId, score, random, bid }: Bids[number], isChosen: boolean): Cause {
  const chosen = isChosen ? ", chosen" : "";
  if (bid === undefined)
    return { kind: "bid", title: `${hostId}: score ${score}, random ${random}${chosen}`, children: [] };
  const { free, capacity, machineCount, appMachineCount } = bid;
  const volumes = free.volumeMib === undefined ? "" : `, ${free.volumeMib} MiB for volumes`;
  const detail =
    `free: ${free.memoryMib} of ${capacity.memoryMib} MiB, ${free.cpuMillis} of ${capacity.cpuMillis} CPU millis${volumes}; ` +
    `${machineCount} machines, ${appMachineCount} of this app`;
  return { kind: "bid", title: `${hostId}: score ${score}, random ${random}${chosen}`, detail, children: [] };
}

function refusalCause({ hostId, code, message }: PlacementEvent["data"]["refusals"][number]): Cause {
  return { kind: "refusal", title: `${hostId} refused: ${code}: ${message}`, children: [] };
}

function wishText(wish: PlacementEvent["data"]["wish"]): string | undefined {
  if (wish === undefined) return undefined;
  const { regions, policy, antiAffinity, features } = wish;
  const needs = features.length === 0 ? "" : `, features ${features.join(" ")}`;
  return `wanted: regions ${regions}, policy ${policy}, anti-affinity ${antiAffinity}${needs}`;
}
