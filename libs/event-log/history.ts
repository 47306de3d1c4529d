import type { NatsConnection } from "@nats-io/transport-node";
import { type DecodedEvent, subjects } from "#contracts";
import { controlLogId } from "./hub-streams.ts";
import { decodeOfControl, placedInFleet } from "./placed-event.ts";
import { readStream } from "./read-stream.ts";
import { CONTROL, FLEET } from "./stream-names.ts";

/** Everything that CONTROL holds, in its order. */
export async function* readControl(nc: NatsConnection): AsyncGenerator<DecodedEvent> {
  const log = await controlLogId(nc);
  for await (const message of readStream(nc, CONTROL)) yield decodeOfControl(log, message);
}

/**
 * Everything that FLEET holds of one host, or of all: each log in its own order, logs as they arrived. An event that came
 * twice is given once.
 */
export async function* readHosts(nc: NatsConnection, hostId?: string): AsyncGenerator<DecodedEvent> {
  const reached = new Map<string, number>();
  for await (const message of readStream(nc, FLEET, { filter: subjects.hostLog(hostId ?? "*") })) {
    const placed = placedInFleet(message);
    if (placed === undefined || placed.sequence <= (reached.get(placed.logId) ?? 0)) continue;
    reached.set(placed.logId, placed.sequence);
    yield placed.decoded;
  }
}
