import type { IncomingMessage } from "node:http";
import { HOP_BY_HOP, namedByConnection, without } from "./header-names.ts";
import type { Refused } from "./refused.ts";

/** What the head of a request says, once it is known to say it without doubt. */
export interface RequestHead {
  /** The `Host` that is asked for, as given. */
  readonly host: string;
  /** Path and query, or `*`. */
  readonly target: string;
  /** A body follows: with a length, or in chunks. */
  readonly body: "none" | "sized" | "chunked";
  /** The client sends its body once it is told to go on. */
  readonly expectsContinue: boolean;
  /** Protocol that the client asks to change to. */
  readonly upgrade: string | undefined;
  /** Names and values to pass on, as they came: without what is said anew per connection. */
  readonly headers: string[];
  readonly forwardedFor: string | undefined;
  readonly via: string | undefined;
}

/** What the loop over the headers finds. */
interface Found {
  host: string | undefined;
  hosts: number;
  length: string | undefined;
  coding: string | undefined;
  connection: string | undefined;
  upgrade: string | undefined;
  expect: string | undefined;
  trailer: string | undefined;
  forwardedFor: string | undefined;
  via: string | undefined;
}

type Taken = Exclude<keyof Found, "hosts">;

/** Headers that are read here, and said anew. */
const TAKEN: Readonly<Record<string, Taken>> = {
  host: "host",
  "content-length": "length",
  "transfer-encoding": "coding",
  connection: "connection",
  upgrade: "upgrade",
  expect: "expect",
  trailer: "trailer",
  "x-forwarded-for": "forwardedFor",
  via: "via",
};

/** What only the router may say: a client that says it lies. */
const OURS = [
  "fly-client-ip",
  "fly-request-id",
  "fly-region",
  "fly-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-port",
];

const taken = new Map<string, Taken | "dropped">([
  ...[...HOP_BY_HOP, ...OURS].map((name) => [name, "dropped"] as const),
  ...Object.entries(TAKEN),
]);

/**
 * Reads a head that node's strict parser took, or says why it is refused. The parser refuses what has two lengths, a length
 * and chunks, folded lines, bare LF or CR; here is refused what it lets pass and two servers might read differently
 * (F51): no or two hosts, codings that we do not undo, other versions.
 */
export function readHead(request: IncomingMessage): RequestHead | Refused {
  const found: Found = {
    host: undefined,
    hosts: 0,
    length: undefined,
    coding: undefined,
    connection: undefined,
    upgrade: undefined,
    expect: undefined,
    trailer: undefined,
    forwardedFor: undefined,
    via: undefined,
  };
  const headers = passedHeaders(request.rawHeaders, found);
  return faultOf(request, found) ?? headOf(request, found, headers);
}

function passedHeaders(raw: readonly string[], found: Found): string[] {
  const headers: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const as = takenAs(raw[i]!.toLowerCase());
    if (as === undefined) headers.push(raw[i]!, raw[i + 1]!);
    else if (as !== "dropped") take(found, as, raw[i + 1]!);
  }
  return headers;
}

/** Programs behind CGI and its kin read `_` as `-`: with it a client would say there what it may not say here. */
function takenAs(name: string): Taken | "dropped" | undefined {
  if (name.includes("_") && taken.has(name.replaceAll("_", "-"))) return "dropped";
  return taken.get(name);
}

function take(found: Found, as: Taken, value: string): void {
  if (as === "host") {
    found.host = value;
    found.hosts += 1;
    return;
  }
  const before = found[as];
  found[as] = before === undefined ? value : `${before}, ${value}`;
}

function faultOf(request: IncomingMessage, found: Found): Refused | undefined {
  const { httpVersion } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return { code: "http_version", message: "speak HTTP/1.1 or HTTP/1.0" };
  }
  if (found.hosts !== 1) {
    const many = found.hosts === 0 ? "no Host header" : "more than one Host header";
    return bad(`${many}: name one app`);
  }
  if (found.coding !== undefined) {
    if (httpVersion === "1.0") return bad("HTTP/1.0 has no Transfer-Encoding");
    if (found.coding.toLowerCase() !== "chunked") {
      return { code: "not_implemented", message: "the only Transfer-Encoding taken is chunked" };
    }
  }
  if (found.expect !== undefined && found.expect.toLowerCase() !== "100-continue") {
    return { code: "expectation_failed", message: "the only Expect taken is 100-continue" };
  }
  return undefined;
}

function headOf(request: IncomingMessage, found: Found, headers: string[]): RequestHead | Refused {
  const place = placeOf(request, found.host!);
  if (place === undefined) return bad("the request names no path: begin it with /");
  if (!VISIBLE.test(place.target)) return bad("the path holds what is no part of a path");
  const named = found.connection === undefined ? undefined : namedByConnection(found.connection);
  if (named !== undefined) without(headers, named);
  headers.push("Host", place.host);
  const body = bodyOf(found);
  if (body === "chunked") headers.push("Transfer-Encoding", "chunked");
  else if (found.length !== undefined) headers.push("Content-Length", found.length);
  else if (!BODILESS.has(request.method!)) headers.push("Content-Length", "0");
  if (body === "chunked" && found.trailer !== undefined) headers.push("Trailer", found.trailer);
  const isExpecting = found.expect !== undefined && body !== "none" && request.httpVersion === "1.1";
  if (isExpecting) headers.push("Expect", "100-continue");
  return {
    ...place,
    body,
    expectsContinue: isExpecting,
    upgrade: found.upgrade,
    headers,
    forwardedFor: found.forwardedFor,
    via: found.via,
  };
}

/** Methods whose requests have no body unless they say so; of others without one the length 0 is said (RFC 9110 §8.6). */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

function bodyOf({ coding, length }: Found): RequestHead["body"] {
  if (coding !== undefined) return "chunked";
  return length === undefined || Number(length) === 0 ? "none" : "sized";
}

/** Node's parser takes some control characters in a path. */
const VISIBLE = /^[\x21-\xff]+$/;

/** Host and path; the host of a target in absolute form is the one that counts (RFC 9112 §3.2.2). */
function placeOf(
  { method, url }: IncomingMessage,
  host: string,
): { host: string; target: string } | undefined {
  if (url!.startsWith("/") || (url === "*" && method === "OPTIONS")) return { host, target: url! };
  const absolute = /^https?:\/\/([^/?#@]+)([/?].*)?$/i.exec(url!);
  if (absolute === null) return undefined;
  const [, authority, rest = ""] = absolute;
  return { host: authority!, target: rest.startsWith("/") ? rest : `/${rest}` };
}

function bad(message: string): Refused {
  return { code: "bad_request", message };
}
