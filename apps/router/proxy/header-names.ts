/**
 * Headers that are between two neighbours and are not passed on: RFC 9110 §7.6.1, with those that older specifications
 * named. `Upgrade` and `Transfer-Encoding` are said anew by whoever sends the next message.
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What `Connection` may say without naming a header. */
const PLAIN_CONNECTION = new Set(["keep-alive", "close", "upgrade", ""]);

/** The headers that a `Connection` header makes hop-by-hop, in lower case. Undefined for none, which is nearly always. */
export function namedByConnection(value: string): string[] | undefined {
  const names = value.split(",").map((name) => name.trim().toLowerCase());
  const named = names.filter((name) => !PLAIN_CONNECTION.has(name));
  return named.length === 0 ? undefined : named;
}

/** Takes headers out of a list of names and values, in place. */
export function without(headers: string[], names: readonly string[]): string[] {
  let end = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (names.includes(headers[i]!.toLowerCase())) continue;
    headers[end] = headers[i]!;
    headers[end + 1] = headers[i + 1]!;
    end += 2;
  }
  headers.length = end;
  return headers;
}

/** What may never stand in a trailer, because it frames or routes a message (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS = new Set([...HOP_BY_HOP, "content-length", "host", "trailer", "content-encoding"]);

/** The trailers of a message that may be passed on, as pairs. Undefined for none. */
export function passedTrailers(raw: readonly string[]): [string, string][] | undefined {
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!NOT_IN_TRAILERS.has(raw[i]!.toLowerCase())) pairs.push([raw[i]!, raw[i + 1]!]);
  }
  return pairs.length === 0 ? undefined : pairs;
}
