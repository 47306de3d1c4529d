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

/** Beside it, now and then: `<fold version> <sequence> <hash>`, what the log folds to at one of its sequences. */
const STATE_HEADER = "Drover-State";

/** What a host's own log folds to at one place, as the host itself has it (F07). */
export interface HostState {
  readonly hostId: string;
  readonly logId: string;
  readonly sequence: number;
  readonly foldVersion: number;
  /** Of the state's canonical form. */
  readonly hash: string;
}

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
export function liveEnd(
  logId: string,
  sequence: number,
  agentVersion?: string,
  state?: Omit<HostState, "hostId" | "logId">,
): LiveMessage {
  const carried = headers();
  if (agentVersion !== undefined) carried.set(AGENT_VERSION_HEADER, agentVersion);
  if (state !== undefined) carried.set(STATE_HEADER, `${state.foldVersion} ${state.sequence} ${state.hash}`);
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

/** Reads the state that `liveEnd` was given; undefined where there is none. */
export function stateFromLive(hostId: string, message: ArrivedMessage): HostState | undefined {
  const [, version, sequence, hash] =
    /^(\d{1,15}) (\d{1,15}) ([0-9a-f]{64})$/.exec(message.headers?.get(STATE_HEADER) ?? "") ?? [];
  const end = endFromLive(message);
  if (hash === undefined || end === undefined) return undefined;
  return { hostId, logId: end.logId, sequence: Number(sequence), foldVersion: Number(version), hash };
}
