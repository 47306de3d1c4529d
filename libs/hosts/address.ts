import { createHash } from "node:crypto";
import { FIRST_ADDRESS, type Host, LAST_ADDRESS } from "./state.ts";

/** The IPv4 address for the next machine. Undefined when all 65,279 are in use. */
export function nextIpv4(host: Host): string | undefined {
  for (let offset = 0; offset <= LAST_ADDRESS - FIRST_ADDRESS; offset += 1) {
    const hostPart = wrap(host.nextAddress + offset);
    const ipv4 = `${host.subnet}.${hostPart >> 8}.${hostPart & 0xff}`;
    if (!host.holdings.addresses.has(ipv4)) return ipv4;
  }
  return undefined;
}

/** The host part that follows one just given out. */
export function addressAfter(ipv4: string): number {
  const [, , high, low] = ipv4.split(".").map(Number);
  return wrap((high! << 8) + low! + 1);
}

function wrap(hostPart: number): number {
  return hostPart <= LAST_ADDRESS ? hostPart : FIRST_ADDRESS + (hostPart - LAST_ADDRESS - 1);
}

const MACHINE_ID = /^[0-9a-f]{14}$/;

/**
 * The machine's own IPv6 address, unique to its id and never another's (F31). A unique local address (RFC 4193): `fd`,
 * 40 bits from the cluster, a zero subnet, then the 56 bits of the machine id and `01`.
 */
export function privateIpOf(clusterId: string, machineId: string): string {
  const own = MACHINE_ID.test(machineId) ? machineId : sha256(machineId).slice(0, 14);
  const digits = `fd${sha256(clusterId).slice(0, 10)}0000${own}01`;
  return (digits.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, "")).join(":");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
