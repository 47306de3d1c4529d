import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type DecodedEvent, subjects } from "#contracts";
import { controlLogId } from "./hub-streams.ts";
import { decodeOfControl, type HostLogName, type PlacedEvent, placedInFleet } from "./placed-event.ts";
import { type ReadOptions, readStream } from "./read-stream.ts";
import { CONTROL, FLEET } from "./stream-names.ts";

/** What is read of a host's history, and how far ahead. */
export type HistoryOptions = Pick<ReadOptions, "page"> & { readonly hostId?: string };

/** Everything that CONTROL holds, in its order; or what comes from a sequence on, or under one subject. */
export async function* readControl(
  nc: NatsConnection,
  options: ReadOptions = {},
): AsyncGenerator<DecodedEvent> {
  const log = await controlLogId(nc);
  for await (const message of readStream(nc, CONTROL, options)) yield decodeOfControl(log, message);
}

/**
 * Everything that FLEET holds of one host, or of all: each log in its own order, logs as they arrived. An event that came
 * twice is given once.
 */
export function readHosts(
  nc: NatsConnection,
  { hostId, ...options }: HistoryOptions = {},
): AsyncGenerator<DecodedEvent> {
  return readFleet(nc, { ...options, filter: subjects.hostLog(hostId ?? "*") });
}

/** What all hosts said of themselves: reservations, capacity, alarms; in the order in which it arrived. */
export function readHostEvents(nc: NatsConnection): AsyncGenerator<DecodedEvent> {
  return readFleet(nc, { filter: subjects.host("*") });
}

/** All that FLEET holds of one machine on one host, in that order. */
export function readMachine(
  nc: NatsConnection,
  hostId: string,
  machineId: string,
): AsyncGenerator<DecodedEvent> {
  return readFleet(nc, { filter: subjects.machine(hostId, machineId) });
}

/** All that FLEET holds of one volume on one host, and of its snapshots there, in that order. */
export function readVolume(
  nc: NatsConnection,
  hostId: string,
  volumeId: string,
): AsyncGenerator<DecodedEvent> {
  return readFleet(nc, { filter: subjects.volume(hostId, volumeId) });
}

/** What FLEET holds of one log from a sequence of that log on, each once and in order. */
export async function* readLog(
  nc: NatsConnection,
  { hostId, logId }: HostLogName,
  fromSequence: number,
): AsyncGenerator<PlacedEvent> {
  let last = fromSequence - 1;
  // FLEET numbers arrivals of all logs: an event cannot stand before its own sequence there.
  const options = { filter: subjects.hostLog(hostId), fromSequence };
  for await (const message of readStream(nc, FLEET, options)) {
    const placed = placedInFleet(message, (id) => (id === logId ? hostId : undefined));
    if (placed?.logId !== logId || placed.sequence <= last) continue;
    last = placed.sequence;
    yield placed;
  }
}

async function* readFleet(nc: NatsConnection, options: ReadOptions): AsyncGenerator<DecodedEvent> {
  const reached = new Map<string, number>();
  const owners = new Map<string, string>();
  for await (const message of readStream(nc, FLEET, options)) {
    const placed = placedInFleet(message, (logId) => owners.get(logId));
    if (placed === undefined || placed.sequence <= (reached.get(placed.logId) ?? 0)) continue;
    owners.set(placed.logId, placed.hostId);
    reached.set(placed.logId, placed.sequence);
    yield placed.decoded;
  }
}

/** Ids of all hosts that FLEET holds events of, sorted: also of those that are gone. */
export function hostsWithHistory(nc: NatsConnection): Promise<string[]> {
  // Every log begins with an event of the host itself.
  return hostsWith(nc, subjects.host("*"));
}

/** Ids of all hosts in whose logs there is something under a subject (`*` for the host), sorted. */
export async function hostsWith(nc: NatsConnection, filter: string): Promise<string[]> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const { state } = await jsm.streams.info(FLEET, { subjects_filter: filter });
  return Object.keys(state.subjects ?? {})
    .map((subject) => subject.split(".", 3)[2] ?? "")
    .sort();
}
