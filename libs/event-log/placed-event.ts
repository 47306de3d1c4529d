import { type DecodedEvent, decodeEvent, type StoredMessage } from "#contracts";
import { fromLive } from "./live-message.ts";
import { type ArrivedMessage, storedMessage } from "./stored-message.ts";
import { parseHostStream } from "./stream-names.ts";

/** Written by the hub itself: `<stream>[:<hash>] <sequence> <filter> <transform> <subject> …`. */
const SOURCE_HEADER = "Nats-Stream-Source";

/** A host's log. */
export interface HostLogName {
  readonly hostId: string;
  readonly logId: string;
}

/** An event of a host's log, good or bad, at the place where it stands there. */
export interface PlacedEvent extends HostLogName {
  readonly sequence: number;
  readonly decoded: DecodedEvent;
}

/**
 * Reads a message of FLEET. Undefined for one that no host's log is the source of. The host in its subject was written by
 * the hub (see `FleetReconciler`); where `ownerOf` says that the log which the event names is that host's, its source
 * need not be looked up: decoding NATS headers costs more than all the rest.
 */
export function placedInFleet(
  message: ArrivedMessage,
  ownerOf: (logId: string) => string | undefined = () => undefined,
): PlacedEvent | undefined {
  const claimed = decodeEvent(storedMessage(message));
  if (claimed.kind === "bad") return placedBySource(message);
  const { log: logId, subject, sequence } = claimed.event;
  const hostId = ownerOf(logId);
  const isVouchedFor = hostId !== undefined && isOfHost(subject, hostId);
  return isVouchedFor ? { hostId, logId, sequence, decoded: claimed } : placedBySource(message);
}

function placedBySource(message: ArrivedMessage): PlacedEvent | undefined {
  const [stream, sequence] = (message.headers?.get(SOURCE_HEADER) ?? "").split(" ", 2);
  const name = parseHostStream(stream?.split(":", 1)[0] ?? "");
  const place = Number(sequence);
  if (name === undefined || !Number.isSafeInteger(place) || place < 1) return undefined;
  return { ...name, sequence: place, decoded: decodeOfLog(name, storedMessage(message, place)) };
}

/** Reads a message that a host sent on its live feed. Undefined for a bad one: FLEET brings it again, with its place. */
export function placedByLive(hostId: string, message: ArrivedMessage): PlacedEvent | undefined {
  const claimed = decodeEvent(fromLive(message));
  if (claimed.kind === "bad") return undefined;
  const { log: logId, sequence } = claimed.event;
  return { hostId, logId, sequence, decoded: ofLog({ hostId, logId }, claimed) };
}

/** Reads an event that came as one of a host's log. No host speaks for another: the event has to say the same. */
export function decodeOfLog(name: HostLogName, stored: StoredMessage): DecodedEvent {
  return ofLog(name, decodeEvent(stored));
}

/** Reads a message of CONTROL, whose log id is `log`. */
export function decodeOfControl(
  log: string,
  message: ArrivedMessage & { readonly seq: number },
): DecodedEvent {
  const decoded = decodeEvent(storedMessage(message, message.seq));
  return decoded.kind === "bad" || decoded.event.log === log ? decoded : misplaced(decoded, `log ${log}`);
}

/** Whether a copy may just be damaged: then another copy of the same event can be good (F18). */
export function mayBeDamaged(decoded: DecodedEvent): boolean {
  return (
    decoded.kind === "bad" &&
    (decoded.reason === "checksum" || decoded.reason === "foreign" || decoded.reason === "misplaced")
  );
}

function ofLog({ hostId, logId }: HostLogName, decoded: DecodedEvent): DecodedEvent {
  if (decoded.kind === "bad") return decoded;
  const { log, subject } = decoded.event;
  const isSame = log === logId && isOfHost(subject, hostId);
  return isSame ? decoded : misplaced(decoded, `log ${logId} of host ${hostId}`);
}

function isOfHost(subject: string, hostId: string): boolean {
  return subject.startsWith(`evt.host.${hostId}.`);
}

function misplaced(decoded: Extract<DecodedEvent, { kind: "event" }>, place: string): DecodedEvent {
  const { log, subject, type } = decoded.event;
  const detail = `it is on ${subject} of log ${log}, and came as one of ${place}`;
  return { kind: "bad", reason: "misplaced", detail, subject, type };
}
