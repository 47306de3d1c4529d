import { readFields } from "./fields.ts";
import { Garbled } from "./garbled.ts";
import { HOP_BY_HOP, namedByConnection, without } from "./header-names.ts";

/** What follows a head: nothing, as many bytes, chunks, or whatever comes until the connection ends. */
export type AnswerBody = number | "chunked" | "until_close";

/** What the head of a machine's answer says, once it is known to say it without doubt. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Names and values to pass on, as they came: without what is said anew per connection. */
  readonly headers: string[];
  readonly body: AnswerBody;
  /** The connection may be used again. */
  readonly keepsConnection: boolean;
  /** The trailers that are announced. */
  readonly trailer: string | undefined;
  /** The protocol that a 101 changes to. */
  readonly upgrade: string | undefined;
}

/** Answers that have no body, and the first of them no length either (RFC 9110 §8.6). */
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const LENGTH = /^\d{1,15}$/;

/** What the loop over the headers finds. */
interface Found {
  connection: string;
  coding: string | undefined;
  length: string | undefined;
  trailer: string | undefined;
  upgrade: string | undefined;
}

/** Reads a head, without the empty line at its end. `isToHead`: it answers a HEAD. Throws `Garbled`. */
export function readAnswerHead(text: string, isToHead: boolean): AnswerHead {
  const [first, ...lines] = text.split("\r\n");
  const parts = STATUS_LINE.exec(first!);
  if (parts === null) throw new Garbled("status line");
  const status = Number(parts[2]);
  const found: Found = {
    connection: "",
    coding: undefined,
    length: undefined,
    trailer: undefined,
    upgrade: undefined,
  };
  const headers = passedHeaders(readFields(lines), status, found);
  const isBodiless = isToHead || status < 200 || status === NO_CONTENT || status === NOT_MODIFIED;
  const framed = bodyOf(found, parts[1]!);
  const body = isBodiless ? 0 : framed;
  const connection = found.connection.toLowerCase();
  const isKept = parts[1] === "1" ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
  const { trailer, upgrade } = found;
  const keepsConnection = isKept && body !== "until_close";
  return { status, reason: parts[3] ?? "", headers, body, keepsConnection, trailer, upgrade };
}

function passedHeaders(raw: readonly string[], status: number, found: Found): string[] {
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name === "content-length") {
      // Two that say the same are one too many: who takes which is anybody's guess (F51).
      if (found.length !== undefined) throw new Garbled("Content-Length");
      found.length = value;
      if (status !== NO_CONTENT) headers.push(raw[i]!, value);
    } else if (name === "transfer-encoding") {
      found.coding = found.coding === undefined ? value : `${found.coding}, ${value}`;
    } else if (name === "connection") found.connection += `${value},`;
    else if (name === "trailer") found.trailer = value;
    else if (name === "upgrade") found.upgrade = value;
    else if (name !== "fly-request-id" && !HOP_BY_HOP.has(name)) headers.push(raw[i]!, value);
  }
  const named = found.connection === "" ? undefined : namedByConnection(found.connection);
  return named === undefined ? headers : without(headers, named);
}

function bodyOf({ coding, length }: Found, minorVersion: string): AnswerBody {
  if (coding !== undefined) {
    const isPlain = coding.toLowerCase() === "chunked" && length === undefined && minorVersion === "1";
    if (!isPlain) throw new Garbled("Transfer-Encoding");
    return "chunked";
  }
  if (length === undefined) return "until_close";
  if (!LENGTH.test(length)) throw new Garbled("Content-Length");
  return Number(length);
}

/**
 * The headers of the answer as the client gets them. `mayTrail`: the client can take trailers, so what announces them is
 * passed on where they may come.
 */
export function clientHeaders(
  { headers, body, trailer }: AnswerHead,
  requestId: string,
  mayTrail: boolean,
): string[] {
  if (trailer !== undefined && body === "chunked" && mayTrail) headers.push("Trailer", trailer);
  headers.push("Via", "1.1 drover", "Fly-Request-Id", requestId);
  return headers;
}
