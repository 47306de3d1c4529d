import { type HostLogEvent, mountedVolumesOf, placementRulesOf, resourcesOf } from "#contracts";
import { accepted, type Decision, type Refusal, refusal, refused, UNCHANGED } from "#kernel";
import { decideCreate } from "#machines";
import { nextIpv4, privateIpOf } from "./address.ts";
import { refuseAdmission } from "./admission.ts";
import { refuseAttach } from "./attach.ts";
import { refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { HostCommandOf } from "./command.ts";
import { type Claimant, claimantId } from "./reservation.ts";
import type { Host } from "./state.ts";

type HostDecision = Decision<HostLogEvent>;
type Commit = HostCommandOf<"CommitMachine">;
/** Who wants to come, in which epoch. */
type Coming = Claimant & { readonly epoch: number };

/** First half of a placement: room is set aside, for as long as the host itself lets it be. */
export function decideReserve(
  command: HostCommandOf<"ReserveMachine" | "ReserveVolume">,
  host: Host,
): HostDecision {
  const { reservationId, appName, epoch, resources, ttlMs } = command;
  const known = answerKnown(command, host);
  if (known !== undefined) return known;
  const standing = host.reservations.get(host.holdings.reservationOf.get(claimantId(command)) ?? "");
  if (standing?.id === reservationId) return UNCHANGED;
  if (standing !== undefined && standing.epoch > epoch) {
    return staleEpoch(`${nameOf(command)} has a reservation of epoch ${standing.epoch}`, standing.epoch);
  }
  if (host.reservations.has(reservationId)) {
    return refused(refusal("invalid", `reservation ${reservationId} is another's: use a new id`));
  }
  const reason = refuseAdmission(host, command, standing);
  if (reason !== undefined) return refused(reason);
  const ports = "ports" in command ? [...command.ports] : [];
  const promise = { reservationId, ...idOf(command), appName, epoch, resources, ports, ttlMs };
  return accepted({ type: "ReservationMade", data: { hostId: host.id, ...promise } });
}

/**
 * Second half of a placement. Right even after the reservation expired, as long as there is room. A refusal is an event:
 * another host may be made the owner because of it, so this one must stand by it.
 */
export function decideCommit(command: Commit, host: Host): HostDecision {
  const known = answerKnown(command, host);
  if (known !== undefined) return known;
  const reason = refuseCommit(command, host);
  if (reason !== undefined) return commitRefused(command, host, reason);
  const ipv4 = nextIpv4(host);
  if (ipv4 === undefined) {
    const full = refusal("insufficient_capacity", `host ${host.id} has no address left`);
    return commitRefused(command, host, full);
  }
  const { type: _, reservationId, atMs, origin, ...described } = command;
  return decideCreate({
    ...described,
    type: "CreateMachine",
    // The reservation's id is the create's command id and becomes the operation's.
    commandId: reservationId,
    atMs,
    origin,
    region: host.region,
    resources: resourcesOf(command.config),
    ipv4,
    privateIp: privateIpOf(host.clusterId, command.machineId),
  });
}

export function decideRefuseCommit(command: HostCommandOf<"RefuseCommit">, host: Host): HostDecision {
  return answerKnown(command, host) ?? commitRefused(command, host, command);
}

/** What follows from what the host did with it in this epoch before, however often it is asked. */
export function answerKnown(coming: Coming, host: Host): HostDecision | undefined {
  const id = claimantId(coming);
  const existing = host.machines.get(id) ?? host.volumes.get(id);
  if (existing?.epoch === coming.epoch) return UNCHANGED;
  if (existing !== undefined) {
    return staleEpoch(`${nameOf(coming)} is here in epoch ${existing.epoch}`, existing.epoch);
  }
  const before = host.refusedCommits.get(id);
  if (before === undefined || before.epoch < coming.epoch) return undefined;
  return refused(refusal(before.code, before.message, { details: { epoch: before.epoch } }));
}

/** Room that is reserved is not refused to whom it was reserved for, unless it wants more than that. */
function refuseCommit(command: Commit, host: Host): Refusal | undefined {
  const { machineId, reservationId, config } = command;
  const resources = resourcesOf(config);
  const ports = config.publish ?? [];
  const volumes = mountedVolumesOf(config);
  const reservation = host.reservations.get(reservationId);
  if (reservation?.machineId !== machineId) {
    const { features, antiAffinity } = placementRulesOf(config.placement);
    const isAlone = antiAffinity === "hard";
    return refuseAdmission(host, { ...command, resources, ports, volumes, features, isAlone });
  }
  return (
    refuseUnlessFits(host, resources, reservation.resources) ??
    refuseTakenPort(host, machineId, ports) ??
    refuseAttach(host, { ...command, volumes })
  );
}

export function commitRefused(
  command: Coming & { readonly reservationId: string },
  host: Host,
  { code, message }: Pick<Refusal, "code" | "message">,
): HostDecision {
  const { reservationId, epoch } = command;
  return accepted({
    type: "CommitRefused",
    data: { hostId: host.id, reservationId, ...idOf(command), epoch, code, message },
  });
}

function idOf({ machineId, volumeId }: Claimant): Claimant {
  return machineId === undefined ? { volumeId } : { machineId };
}

function nameOf({ machineId, volumeId }: Claimant): string {
  return machineId === undefined ? `volume ${volumeId}` : `machine ${machineId}`;
}

function staleEpoch(message: string, epoch: number): HostDecision {
  return refused(refusal("stale_epoch", message, { details: { epoch } }));
}
