import type { PublishedPort, Resources } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { machineCountOf, refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { Host } from "./state.ts";

/** A machine that wants to come to this host. */
export interface Wanted {
  readonly machineId: string;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
  readonly atMs: number;
}

/**
 * Whether the host would take this machine now: the same question for a bid, for an offer and for a commit, so that
 * nobody acts on another's picture of it (I3). `reserved`: what is set aside for it already.
 */
export function refuseAdmission(host: Host, wanted: Wanted, reserved?: Resources): Refusal | undefined {
  if (host.cordon !== undefined && host.cordon.expiresAtMs > wanted.atMs) {
    return refusal("cordoned", `host ${host.id} is cordoned by ${host.cordon.owner}: ${host.cordon.reason}`);
  }
  const others = machineCountOf(host) - (reserved === undefined ? 0 : 1);
  if (others >= host.maxMachines) {
    return refusal("insufficient_capacity", `host ${host.id} holds its most of ${host.maxMachines} machines`);
  }
  return (
    refuseUnlessFits(host, wanted.resources, reserved) ??
    refuseTakenPort(host, wanted.machineId, wanted.ports)
  );
}
