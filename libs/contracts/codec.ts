import { crc32 } from "node:zlib";
import type { AnyEvent, DecisionRecord, NewEvent, RecordedEvent } from "./event.ts";
import { type EventVocabulary, VOCABULARY } from "./upcast.ts";

/** Message headers of an event, in the order in which they are written. */
export const HEADERS = {
  id: "Nats-Msg-Id",
  type: "Drover-Type",
  version: "Drover-Version",
  clock: "Drover-Clock",
  cause: "Drover-Cause",
  correlation: "Drover-Correlation",
  actor: "Drover-Actor",
  log: "Drover-Log",
  sequence: "Drover-Seq",
  sum: "Drover-Sum",
} as const;

/** Where an event will stand. CONTROL has many writers: only its stream knows the sequence, so it is not written. */
export interface EventPlace {
  readonly log: string;
  readonly sequence?: number;
}

/** An event as a message. */
export interface EncodedEvent {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A message as found in a stream or on the live feed. */
export interface StoredMessage {
  readonly subject: string;
  /** A header's value; undefined or "" when it is absent. */
  readonly header: (name: string) => string | undefined;
  readonly body: Uint8Array;
  /** Its place in its log as the transport knows it (a stream's or a source's sequence); undefined on the live feed. */
  readonly sequence?: number;
}

export type BadReason =
  | "foreign"
  | "checksum"
  | "unknown_type"
  | "newer_version"
  | "invalid"
  | "upcast_failed"
  | "misplaced";

/** A message that cannot be folded. It is named as well as its headers allow, so that it can be quarantined (I10). */
export interface BadEvent {
  readonly kind: "bad";
  readonly reason: BadReason;
  readonly detail: string;
  readonly subject: string;
  readonly log?: string;
  readonly sequence?: number;
  readonly type?: string;
}

export type DecodedEvent = { readonly kind: "event"; readonly event: RecordedEvent } | BadEvent;

export interface DecodeOptions {
  /** Also check the data by its schema. Left out on replay: what was appended was checked, and the sum guards it. */
  readonly deep?: boolean;
  readonly vocabulary?: EventVocabulary;
}

const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/;

/**
 * Turns an event into a message. Throws when its data do not match the schema of its type and version, or when a
 * header would not survive the way: both are bugs of the caller.
 */
export function encodeEvent(
  event: NewEvent,
  place: EventPlace,
  vocabulary: EventVocabulary = VOCABULARY,
): EncodedEvent {
  assertCurrent(event, vocabulary);
  const body = JSON.stringify(
    event.decision === undefined ? { data: event.data } : { data: event.data, decision: event.decision },
  );
  const headers: Record<string, string> = {
    [HEADERS.id]: event.header.id,
    [HEADERS.type]: event.type,
    [HEADERS.version]: String(event.header.version),
    [HEADERS.clock]: event.header.clock,
    [HEADERS.cause]: event.header.causationId,
    [HEADERS.correlation]: event.header.correlationId,
    [HEADERS.actor]: event.header.actor,
    [HEADERS.log]: place.log,
  };
  if (place.sequence !== undefined) headers[HEADERS.sequence] = String(place.sequence);
  for (const [name, value] of Object.entries(headers)) {
    if (!PRINTABLE.test(value)) throw new Error(`${event.type}: header ${name} is not printable: ${value}`);
  }
  headers[HEADERS.sum] = checksum(event.subject, (name) => headers[name], body);
  return { subject: event.subject, headers, body };
}

/** Turns a message back into an event of the current version, or says why it cannot be one. Never throws. */
export function decodeEvent(message: StoredMessage, options: DecodeOptions = {}): DecodedEvent {
  const vocabulary = options.vocabulary ?? VOCABULARY;
  const { header } = message;
  const type = header(HEADERS.type);
  const sum = header(HEADERS.sum);
  if (!type || !sum) return bad(message, "foreign", "the headers of an event are missing");
  // F18: before anything in it is believed.
  if (checksum(message.subject, header, message.body) !== sum) {
    return bad(message, "checksum", `the checksum ${sum} does not match the message`);
  }
  const current = vocabulary.currentVersionOf(type);
  const version = Number(header(HEADERS.version));
  if (vocabulary.schemaOf(type) === undefined)
    return bad(message, "unknown_type", `type ${type} is not known`);
  if (version > current) return bad(message, "newer_version", `${type} ${version} is newer than ${current}`);
  if (!Number.isInteger(version) || version < 1) return bad(message, "invalid", `${type} has no version`);
  const written = Number(header(HEADERS.sequence) || 0);
  const sequence = message.sequence ?? written;
  if (sequence < 1 || (written > 0 && written !== sequence)) {
    return bad(message, "misplaced", `it says sequence ${written} and stands at ${sequence}`);
  }
  const body = parseBody(message.body);
  if (body === undefined) return bad(message, "invalid", "the body is not JSON with data");
  return finish(message, body, { type, version, current, sequence, vocabulary, deep: options.deep ?? false });
}

interface Target {
  readonly type: string;
  readonly version: number;
  readonly current: number;
  readonly sequence: number;
  readonly vocabulary: EventVocabulary;
  readonly deep: boolean;
}

function finish(message: StoredMessage, body: EventBody, target: Target): DecodedEvent {
  let data = body.data;
  if (target.version !== target.current) {
    try {
      data = target.vocabulary.upcast(target.type, target.version, data);
    } catch (thrown) {
      return bad(message, "upcast_failed", String(thrown));
    }
  }
  // Upcast data were never checked by anybody, and are rare enough to check always.
  if (target.deep || target.version !== target.current) {
    const checked = target.vocabulary.schemaOf(target.type)?.safeParse(data);
    if (!checked?.success) return bad(message, "invalid", checked?.error.message ?? "no schema");
  }
  const { header } = message;
  const event = {
    type: target.type as AnyEvent["type"],
    data,
    subject: message.subject,
    header: {
      id: header(HEADERS.id) ?? "",
      version: target.current,
      clock: header(HEADERS.clock) ?? "",
      causationId: header(HEADERS.cause) ?? "",
      correlationId: header(HEADERS.correlation) ?? "",
      actor: header(HEADERS.actor) ?? "",
    },
    log: header(HEADERS.log) ?? "",
    sequence: target.sequence,
  };
  const recorded = body.decision === undefined ? event : { ...event, decision: body.decision };
  return { kind: "event", event: recorded as RecordedEvent };
}

interface EventBody {
  readonly data: unknown;
  readonly decision?: DecisionRecord;
}

function parseBody(body: Uint8Array): EventBody | undefined {
  try {
    const parsed: unknown = JSON.parse(textOf(body));
    return typeof parsed === "object" && parsed !== null && "data" in parsed
      ? (parsed as EventBody)
      : undefined;
  } catch {
    return undefined;
  }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
}

/** CRC-32 over the subject, the headers and the body, as 8 hex digits. Subject and sequence are in it: F18, misplaced copies. */
function checksum(subject: string, header: StoredMessage["header"], body: string | Uint8Array): string {
  const head =
    `${subject}\n${header(HEADERS.id) ?? ""}\n${header(HEADERS.type) ?? ""}\n${header(HEADERS.version) ?? ""}\n` +
    `${header(HEADERS.clock) ?? ""}\n${header(HEADERS.cause) ?? ""}\n${header(HEADERS.correlation) ?? ""}\n` +
    `${header(HEADERS.actor) ?? ""}\n${header(HEADERS.log) ?? ""}\n${header(HEADERS.sequence) ?? ""}\n`;
  return crc32(body, crc32(head)).toString(16).padStart(8, "0");
}

function assertCurrent(event: NewEvent, vocabulary: EventVocabulary): void {
  const schema = vocabulary.schemaOf(event.type);
  if (schema === undefined) throw new Error(`event type ${event.type} is not known`);
  const current = vocabulary.currentVersionOf(event.type);
  if (event.header.version !== current) {
    throw new Error(`${event.type} is written in version ${current}, not ${event.header.version}`);
  }
  const checked = schema.safeParse(event.data);
  if (!checked.success) throw new Error(`${event.type} does not match its schema: ${checked.error.message}`);
}

/** A bad event, named by whatever its headers and its place still tell. */
function bad(message: StoredMessage, reason: BadReason, detail: string): BadEvent {
  const log = message.header(HEADERS.log);
  const type = message.header(HEADERS.type);
  const sequence = message.sequence ?? Number(message.header(HEADERS.sequence));
  return {
    kind: "bad",
    reason,
    detail: detail.slice(0, 500),
    subject: message.subject,
    ...(log ? { log } : {}),
    ...(Number.isSafeInteger(sequence) && sequence > 0 ? { sequence } : {}),
    ...(type ? { type } : {}),
  };
}
