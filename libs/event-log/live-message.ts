import { headers, type MsgHdrs } from "@nats-io/transport-node";
import type { EncodedEvent, StoredMessage } from "#contracts";
import { formatPosition, parsePosition } from "#kernel";
import { type ArrivedMessage, storedMessage } from "./stored-message.ts";

/** The live feed's own subject names the host only: this header carries the subject under which the event was logged. */
const SUBJECT_HEADER = "Drover-Subject";
/** `<log id>:<sequence>`: how far the log goes. Such a message carries no event. */
const END_HEADER = "Drover-Log-End";
/** Beside it: the version of the agent that says so. */
const AGENT_VERSION_HEADER = "Drover-Agent-Version";

/** What goes out on `subjects.live(hostId)`. */
export interface LiveMessage {
  readonly headers: MsgHdrs;
  readonly body: string;
}

/** An event just appended. */
export function liveMessage(event: EncodedEvent): LiveMessage {
  const carried = headers();
  for (const [name, value] of Object.entries(event.headers)) carried.set(name, value);
  carried.set(SUBJECT_HEADER, event.subject);
  return { headers: carried, body: event.body };
}

/** A message of the live feed as the codec reads it. Its place is the one that the event itself says. */
export function fromLive(message: ArrivedMessage): StoredMessage {
  const stored = storedMessage(message);
  return { ...stored, subject: stored.header(SUBJECT_HEADER) ?? message.subject };
}

/**
 * How far a log goes, sent again and again: after the last event of a burst nothing else would show a reader that it
 * did not reach him, and FLEET takes up to 40 s to go on after its hub or a leaf was started again (measured).
 */
export function liveEnd(logId: string, sequence: number, agentVersion?: string): LiveMessage {
  const carried = headers();
  if (agentVersion !== undefined) carried.set(AGENT_VERSION_HEADER, agentVersion);
  carried.set(END_HEADER, formatPosition({ [logId]: sequence }));
  return { headers: carried, body: "" };
}

/** Reads what `liveEnd` wrote; undefined for a message that carries an event. */
export function endFromLive(message: ArrivedMessage): { logId: string; sequence: number } | undefined {
  const [end] = Object.entries(parsePosition(message.headers?.get(END_HEADER) ?? "") ?? {});
  return end === undefined ? undefined : { logId: end[0], sequence: end[1] };
}

/** Version of the agent that sent this, where it says so. */
export function agentVersionFromLive(message: ArrivedMessage): string | undefined {
  return message.headers?.get(AGENT_VERSION_HEADER) || undefined;
}
