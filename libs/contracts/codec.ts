import { crc32 } from "node:zlib";
import type { DecisionRecord, EventHeader, NewEvent, RecordedEvent } from "./event.ts";
import { type EventVocabulary, VOCABULARY } from "./upcast.ts";

/** The one NATS header of an event: the id by which a log deduplicates. All else is in the body, which its sum guards. */
export const HEADERS = { id: "Nats-Msg-Id" } as const;

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

/** The body's last member: `,"sum":"01234567"}`. The sum is over the subject and over all of the body before it. */
const SUM_KEY = ',"sum":"';
const SUM_DIGITS = 8;
const TRAILER_LENGTH = SUM_KEY.length + SUM_DIGITS + '"}'.length;

/** The JSON of a body. */
interface EventBody {
  readonly type: string;
  readonly log: string;
  readonly sequence?: number;
  readonly header: EventHeader;
  readonly data: unknown;
  readonly decision?: DecisionRecord;
}

/**
 * Turns an event into a message. Throws when its data do not match the schema of its type and version, or when a
 * member of its header holds control characters or nothing: both are bugs of the caller.
 */
export function encodeEvent(
  event: NewEvent,
  place: EventPlace,
  vocabulary: EventVocabulary = VOCABULARY,
): EncodedEvent {
  assertCurrent(event, vocabulary);
  const { id, version, clock, causationId, correlationId, actor } = event.header;
  const header = { id, version, clock, causationId, correlationId, actor };
  for (const [name, value] of Object.entries({ ...header, log: place.log })) {
    if (!PRINTABLE.test(String(value))) throw new Error(`${event.type}: ${name} is not printable: ${value}`);
  }
  const body: EventBody = {
    type: event.type,
    log: place.log,
    ...(place.sequence === undefined ? {} : { sequence: place.sequence }),
    header,
    data: event.data,
    ...(event.decision === undefined ? {} : { decision: event.decision }),
  };
  const text = JSON.stringify(body).slice(0, -1);
  const sum = checksum(event.subject, text);
  return { subject: event.subject, headers: { [HEADERS.id]: id }, body: `${text}${SUM_KEY}${sum}"}` };
}

/** Turns a message back into an event of the current version, or says why it cannot be one. Never throws. */
export function decodeEvent(message: StoredMessage, options: DecodeOptions = {}): DecodedEvent {
  const vocabulary = options.vocabulary ?? VOCABULARY;
  const text = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  // F18: before anything in it is believed.
  if (!hasRightSum(message.subject, text)) {
    return message.header(HEADERS.id)
      ? bad(message, "checksum", "its checksum does not match the message")
      : bad(message, "foreign", "it is not an event of ours");
  }
  const body = parseBody(text);
  if (body === undefined) return bad(message, "invalid", "the body is not that of an event");
  const current = vocabulary.currentVersionOf(body.type);
  const { version } = body.header;
  if (vocabulary.schemaOf(body.type) === undefined) {
    return bad(message, "unknown_type", `type ${body.type} is not known`);
  }
  if (version > current) {
    return bad(message, "newer_version", `${body.type} ${version} is newer than ${current}`);
  }
  const sequence = message.sequence ?? body.sequence ?? 0;
  if (sequence < 1 || sequence !== (body.sequence ?? sequence)) {
    return bad(message, "misplaced", `it says sequence ${body.sequence} and stands at ${sequence}`);
  }
  if (version === current && options.deep !== true) return recorded(message, body, sequence);
  return checked(message, body, sequence, vocabulary);
}

/** Brings an old event up to date. Upcast data were never checked by anybody, and are rare enough to check always. */
function checked(
  message: StoredMessage,
  body: EventBody,
  sequence: number,
  vocabulary: EventVocabulary,
): DecodedEvent {
  const version = vocabulary.currentVersionOf(body.type);
  let data = body.data;
  try {
    if (body.header.version !== version) data = vocabulary.upcast(body.type, body.header.version, data);
  } catch (thrown) {
    return bad(message, "upcast_failed", String(thrown));
  }
  const result = vocabulary.schemaOf(body.type)?.safeParse(data);
  if (!result?.success) return bad(message, "invalid", result?.error.message ?? "no schema");
  return recorded(message, { ...body, header: { ...body.header, version }, data }, sequence);
}

function recorded(message: StoredMessage, body: EventBody, sequence: number): DecodedEvent {
  const { type, log, header, data, decision } = body;
  const event = { type, data, subject: message.subject, header, log, sequence };
  const whole = decision === undefined ? event : { ...event, decision };
  return { kind: "event", event: whole as RecordedEvent };
}

function parseBody(text: Buffer): EventBody | undefined {
  try {
    const parsed: unknown = JSON.parse(text.toString("utf8"));
    return isBody(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isBody(parsed: unknown): parsed is EventBody {
  const { type, log, header, data } = Object(parsed) as Partial<EventBody>;
  return (
    typeof type === "string" &&
    typeof log === "string" &&
    typeof header?.id === "string" &&
    typeof header.clock === "string" &&
    Number.isInteger(header.version) &&
    header.version > 0 &&
    data !== undefined
  );
}

function hasRightSum(subject: string, text: Buffer): boolean {
  const end = text.length - TRAILER_LENGTH;
  if (end < 0) return false;
  const sum = checksum(subject, text.subarray(0, end));
  return text.toString("latin1", end) === `${SUM_KEY}${sum}"}`;
}

/** CRC-32 as 8 hex digits. The subject is in it, so that a copy under another subject is noticed too (F18). */
function checksum(subject: string, text: string | Buffer): string {
  return crc32(text, crc32(subject)).toString(16).padStart(SUM_DIGITS, "0");
}

function assertCurrent(event: NewEvent, vocabulary: EventVocabulary): void {
  const schema = vocabulary.schemaOf(event.type);
  if (schema === undefined) throw new Error(`event type ${event.type} is not known`);
  const current = vocabulary.currentVersionOf(event.type);
  if (event.header.version !== current) {
    throw new Error(`${event.type} is written in version ${current}, not ${event.header.version}`);
  }
  const result = schema.safeParse(event.data);
  if (!result.success) throw new Error(`${event.type} does not match its schema: ${result.error.message}`);
}

const NAMED = /^\{"type":"(\w+)","log":"([\w-]+)"(?:,"sequence":(\d{1,15}))?/;

/** A bad event, named by its place and whatever its first bytes still tell. */
function bad(message: StoredMessage, reason: BadReason, detail: string): BadEvent {
  const [, type, log, written] = NAMED.exec(Buffer.from(message.body).toString("latin1", 0, 300)) ?? [];
  const sequence = message.sequence ?? Number(written);
  return {
    kind: "bad",
    reason,
    detail: detail.slice(0, 500),
    subject: message.subject,
    ...(log === undefined ? {} : { log }),
    ...(Number.isSafeInteger(sequence) && sequence > 0 ? { sequence } : {}),
    ...(type === undefined ? {} : { type }),
  };
}
