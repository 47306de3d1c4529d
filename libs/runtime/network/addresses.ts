/** The host's own address in its machines' /16: their way out. */
export function gatewayOf(subnet: string): string {
  return `${subnet}.0.1`;
}

/** The bridge's IPv6 address: the same on every host, it never leaves the link. */
export const GATEWAY_IPV6 = "fe80::1";

/**
 * A machine's hardware address follows from its IPv4 address: whoever has the address next has the neighbour entry
 * that the host still remembers, too (F31).
 */
export function macOf(ipv4: string): string {
  return ["02", "d0", ...hexBytesOf(ipv4)].join(":");
}

/** The IPv6 link-local address that belongs to `macOf` (RFC 4291, appendix A). */
export function linkLocalOf(ipv4: string): string {
  const [a, b, c, d] = hexBytesOf(ipv4);
  return `fe80::d0:${a}ff:fe${b}:${c}${d}`;
}

function hexBytesOf(ipv4: string): string[] {
  return ipv4.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
}
