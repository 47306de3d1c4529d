import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { DecodedEvent } from "#contracts";
import { logIdOf } from "./hub-streams.ts";
import { decodeOfControl, type PlacedEvent, placedInFleet } from "./placed-event.ts";
import { CONTROL, FLEET } from "./stream-names.ts";
import { streamRange } from "./stream-range.ts";

/** Where the hub's streams end at present, and which ones they are. */
export interface HubEnds {
  readonly controlLog: string;
  /** CONTROL's last sequence. */
  readonly control: number;
  /** FLEET's last sequence: it numbers arrivals. */
  readonly fleet: number;
  /** When FLEET was created: another one has other sequences. */
  readonly fleetCreated: string;
}

/** An event of a host's log, and where it arrived in FLEET. */
export interface ArrivedEvent extends PlacedEvent {
  readonly fleetSequence: number;
}

/** An event of CONTROL, good or bad, at its sequence. */
export interface ControlEntry {
  readonly sequence: number;
  readonly decoded: DecodedEvent;
}

export async function hubEnds(nc: NatsConnection): Promise<HubEnds> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const [control, fleet] = await Promise.all([jsm.streams.info(CONTROL), jsm.streams.info(FLEET)]);
  return {
    controlLog: logIdOf(control),
    control: control.state.last_seq,
    fleet: fleet.state.last_seq,
    fleetCreated: String(fleet.created),
  };
}

/**
 * What arrived in FLEET from one of its sequences to another, in that order, repeats included, in batches. `ownerOf`: whose
 * log is known to be whose. See `streamRange`.
 */
export function readArrivals(
  nc: NatsConnection,
  first: number,
  last: number,
  ownerOf: (logId: string) => string | undefined = () => undefined,
): AsyncGenerator<readonly ArrivedEvent[]> {
  const owners = new Map<string, string>();
  return streamRange(nc, FLEET, first, last, (message, fleetSequence) => {
    const placed = placedInFleet(message, (logId) => owners.get(logId) ?? ownerOf(logId));
    if (placed === undefined) return undefined;
    owners.set(placed.logId, placed.hostId);
    return { ...placed, fleetSequence };
  });
}

/** What stands in CONTROL from one sequence to another, in batches. */
export function readControlRange(
  nc: NatsConnection,
  log: string,
  first: number,
  last: number,
): AsyncGenerator<readonly ControlEntry[]> {
  return streamRange(nc, CONTROL, first, last, (message, sequence) => {
    return { sequence, decoded: decodeOfControl(log, message) };
  });
}
