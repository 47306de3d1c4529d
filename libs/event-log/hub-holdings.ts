import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { HEADERS, subjects } from "#contracts";
import { type HostLogName, placedInFleet } from "./placed-event.ts";
import { readStream } from "./read-stream.ts";
import type { ArrivedMessage } from "./stored-message.ts";
import { FLEET } from "./stream-names.ts";

/** An event of a host's log as the hub holds it, as a message. */
export interface HeldEvent {
  readonly subject: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly sequence: number;
}

/** Events of one host log that FLEET holds from `fromSequence` of that log on, at most `limit`, in order. */
export async function heldFrom(
  nc: NatsConnection,
  log: HostLogName,
  fromSequence: number,
  limit: number,
): Promise<HeldEvent[]> {
  const held: HeldEvent[] = [];
  // FLEET numbers arrivals of all logs: an event cannot stand before its own sequence there.
  const options = { filter: subjects.hostLog(log.hostId), fromSequence };
  for await (const message of readStream(nc, FLEET, options)) {
    const event = heldEvent(log, message);
    if (event !== undefined && event.sequence >= fromSequence) held.push(event);
    if (held.length >= limit) break;
  }
  return held;
}

/** The last event of one host log that FLEET holds; undefined for none. */
export async function lastHeld(nc: NatsConnection, log: HostLogName): Promise<HeldEvent | undefined> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const question = { last_by_subj: subjects.hostLog(log.hostId) };
  const message = await jsm.streams.getMessage(FLEET, question);
  if (message === null) return undefined;
  const newest = heldEvent(log, { subject: message.subject, headers: message.header, data: message.data });
  if (newest !== undefined) return newest;
  // The host writes another log by now: this one's end stands somewhere before it.
  let last: HeldEvent | undefined;
  for await (const earlier of readStream(nc, FLEET, { filter: subjects.hostLog(log.hostId) })) {
    last = heldEvent(log, earlier) ?? last;
  }
  return last;
}

/** The event's id, by which two copies of a log are compared. */
export function heldEventId(event: HeldEvent | undefined): string {
  return event?.headers[HEADERS.id] ?? "";
}

function heldEvent(log: HostLogName, message: ArrivedMessage): HeldEvent | undefined {
  const placed = placedInFleet(message);
  if (placed === undefined || placed.hostId !== log.hostId || placed.logId !== log.logId) return undefined;
  const names = Object.values(HEADERS);
  const headers = names.flatMap((name): [string, string][] => {
    const value = message.headers?.get(name);
    return value ? [[name, value]] : [];
  });
  const body = new TextDecoder().decode(message.data);
  return { subject: message.subject, headers: Object.fromEntries(headers), body, sequence: placed.sequence };
}
