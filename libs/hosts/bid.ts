import type { Resources } from "#contracts";
import type { Refusal } from "#kernel";
import { type MachineWish, refuseAdmission, type VolumeWish } from "./admission.ts";
import { appMachineCountOf, freeOf, machineCountOf } from "./capacity.ts";
import type { Host } from "./state.ts";

/** What a host is asked: would you take this machine, or this volume? */
export type BidRequest = MachineWish | VolumeWish;

/** A host's answer. It promises nothing: only a reservation does. */
export type Bid =
  | {
      readonly kind: "bid";
      readonly hostId: string;
      readonly free: Resources;
      readonly capacity: Resources;
      /** Machines here, and reservations for more. */
      readonly machineCount: number;
      /** Of these, those of the same app. */
      readonly appMachineCount: number;
      readonly maxMachines: number;
    }
  | { readonly kind: "no-bid"; readonly hostId: string; readonly refusal: Refusal };

/** The host's bid in its present state. Pure. */
export function bidOf(host: Host, request: BidRequest, atMs: number): Bid {
  const reason = refuseAdmission(host, { ...request, atMs });
  if (reason !== undefined) return { kind: "no-bid", hostId: host.id, refusal: reason };
  return {
    kind: "bid",
    hostId: host.id,
    free: freeOf(host),
    capacity: host.capacity,
    machineCount: machineCountOf(host),
    appMachineCount: appMachineCountOf(host, request.appName),
    maxMachines: host.maxMachines,
  };
}
