import type { PublishedPort, Resources } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { appMachineCountOf, machineCountOf, refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { Reservation } from "./reservation.ts";
import type { Host } from "./state.ts";

/** A machine that wants to come to this host. */
export interface Wanted {
  readonly machineId: string;
  readonly appName: string;
  readonly resources: Resources;
  readonly ports: readonly PublishedPort[];
  /** What the host has to have. */
  readonly features?: readonly string[] | undefined;
  /** No other machine of its app may be here. */
  readonly isAlone?: boolean | undefined;
  readonly atMs: number;
}

/**
 * Whether the host would take this machine now: the same question for a bid, for an offer and for a commit, so that
 * nobody acts on another's picture of it (I3). `own`: what is set aside for it already.
 */
export function refuseAdmission(host: Host, wanted: Wanted, own?: Reservation): Refusal | undefined {
  const reason = refuseWhileCordoned(host, wanted.atMs);
  if (reason !== undefined) return reason;
  const others = machineCountOf(host) - (own === undefined ? 0 : 1);
  if (others >= host.maxMachines) {
    return refusal("insufficient_capacity", `host ${host.id} holds its most of ${host.maxMachines} machines`);
  }
  return (
    refuseWithoutFeatures(host, wanted) ??
    refuseCompany(host, wanted, own) ??
    refuseUnlessFits(host, wanted.resources, own?.resources) ??
    refuseTakenPort(host, wanted.machineId, wanted.ports)
  );
}

/** F24: says who wants it so, why, and how long. */
function refuseWhileCordoned({ id: hostId, cordon }: Host, atMs: number): Refusal | undefined {
  if (cordon === undefined || cordon.expiresAtMs <= atMs) return undefined;
  const { owner, reason, expiresAtMs } = cordon;
  const until = new Date(expiresAtMs).toISOString();
  return refusal("cordoned", `host ${hostId} is cordoned by ${owner} until ${until}: ${reason}`, {
    details: { hostId, owner, reason, expiresAtMs },
  });
}

function refuseWithoutFeatures(host: Host, { features = [] }: Wanted): Refusal | undefined {
  const missing = features.filter((feature) => !host.features.includes(feature));
  if (missing.length === 0) return undefined;
  const message = `host ${host.id} lacks ${missing.join(", ")}: it has ${host.features.join(", ")}`;
  return refusal("unsupported", message, { details: { hostId: host.id, missing } });
}

function refuseCompany(
  host: Host,
  { appName, isAlone = false }: Wanted,
  own?: Reservation,
): Refusal | undefined {
  const others = appMachineCountOf(host, appName) - (own?.appName === appName ? 1 : 0);
  if (!isAlone || others === 0) return undefined;
  const message = `host ${host.id} has a machine of app ${appName}, and this one is to be apart from them`;
  return refusal("insufficient_capacity", message, { details: { hostId: host.id, appMachines: others } });
}
