import type { PublishedPort, Resources } from "#contracts";
import type { Refusal } from "#kernel";
import { refuseAdmission } from "./admission.ts";
import { freeOf, machineCountOf } from "./capacity.ts";
import type { Host } from "./state.ts";

/** What a host is asked: would you take this machine? */
export interface BidRequest {
  readonly machineId: string;
  readonly appName: string;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
}

/** A host's answer. It promises nothing: only a reservation does. */
export type Bid =
  | {
      readonly kind: "bid";
      readonly hostId: string;
      readonly free: Resources;
      readonly capacity: Resources;
      readonly machineCount: number;
      /** Machines of the same app here already. */
      readonly appMachineCount: number;
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
    appMachineCount: host.holdings.machinesOfApp.get(request.appName) ?? 0,
  };
}
