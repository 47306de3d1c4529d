import type { RequestHead } from "./request-head.ts";

/** Where a request came in. */
export interface Edge {
  readonly region: string;
  /** Port that the client dialled. */
  readonly port: number;
}

/** What proxies call each other in `Via`. */
const PSEUDONYM = "1.1 drover";

/**
 * The headers of a request as its machine gets them: the client's own, then who asked and through whom. What the client
 * said of itself under those names is gone; only `X-Forwarded-For` and `Via` are lists that each proxy adds to.
 */
export function forwardedHeaders(
  { headers, forwardedFor, via, upgrade }: RequestHead,
  client: { readonly ip: string; readonly requestId: string; readonly isUpgrade: boolean },
  { region, port }: Edge,
): string[] {
  const { ip, requestId, isUpgrade } = client;
  headers.push(
    "Fly-Client-IP",
    ip,
    "Fly-Request-Id",
    requestId,
    "Fly-Region",
    region,
    "Fly-Forwarded-Port",
    String(port),
    "X-Forwarded-For",
    forwardedFor === undefined ? ip : `${forwardedFor}, ${ip}`,
    "X-Forwarded-Proto",
    "http",
    "X-Forwarded-Port",
    String(port),
    "Via",
    via === undefined ? PSEUDONYM : `${via}, ${PSEUDONYM}`,
  );
  if (isUpgrade) headers.push("Connection", "Upgrade", "Upgrade", upgrade!);
  else headers.push("Connection", "keep-alive");
  return headers;
}

/** A client's address as text; an IPv4 client of a socket for both kinds is shown as IPv4. */
export function clientIp(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return "unknown";
  return remoteAddress.startsWith("::ffff:") ? remoteAddress.slice(7) : remoteAddress;
}
