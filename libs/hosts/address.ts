import { createHash } from "node:crypto";
import { FIRST_ADDRESS, type Host, LAST_ADDRESS } from "./state.ts";

/** The IPv4 address for the next machine and its host part. Undefined when all 65,279 are in use. */
export function nextIpv4(host: Host): { readonly ipv4: string; readonly hostPart: number } | undefined {
  const inUse = new Set<string>();
  for (const machine of host.machines.values()) inUse.add(machine.ipv4);
  for (let offset = 0; offset <= LAST_ADDRESS - FIRST_ADDRESS; offset += 1) {
    const hostPart = wrap(host.nextAddress + offset);
    const ipv4 = `${host.subnet}.${hostPart >> 8}.${hostPart & 0xff}`;
    if (!inUse.has(ipv4)) return { ipv4, hostPart };
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

/**
 * The machine's own IPv6 address, unique to its id and never another's (F31). A unique local address (RFC 4193): `fd`,
 * 40 bits from the cluster, a zero subnet, then the 56 bits of the machine id and `01`.
 */
export function privateIpOf(clusterId: string, machineId: string): string {
  const cluster = createHash("sha256").update(clusterId).digest("hex").slice(0, 10);
  const digits = `fd${cluster}0000${machineId.padStart(14, "0").slice(0, 14)}01`;
  return (digits.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, "")).join(":");
}
