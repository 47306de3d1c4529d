import { type HostLogEvent, placementRulesOf, resourcesOf } from "#contracts";
import { accepted, type Decision, type Refusal, refusal, refused, UNCHANGED } from "#kernel";
import { decideCreate, type Machine } from "#machines";
import { nextIpv4, privateIpOf } from "./address.ts";
import { refuseAdmission } from "./admission.ts";
import { refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { HostCommandOf } from "./command.ts";
import type { Host } from "./state.ts";

type HostDecision = Decision<HostLogEvent>;
type Commit = HostCommandOf<"CommitMachine">;

/** First half of a placement: room is set aside, for as long as the host itself lets it be. */
export function decideReserve(command: HostCommandOf<"ReserveMachine">, host: Host): HostDecision {
  const { reservationId, machineId, appName, epoch, resources, ttlMs } = command;
  const known = answerKnown(command, host);
  if (known !== undefined) return known;
  const standing = host.reservations.get(host.holdings.reservationOf.get(machineId) ?? "");
  if (standing?.id === reservationId) return UNCHANGED;
  if (standing !== undefined && standing.epoch > epoch) {
    return staleEpoch(`machine ${machineId} has a reservation of epoch ${standing.epoch}`, standing.epoch);
  }
  if (host.reservations.has(reservationId)) {
    return refused(refusal("invalid", `reservation ${reservationId} is another machine's: use a new id`));
  }
  const reason = refuseAdmission(host, command, standing);
  if (reason !== undefined) return refused(reason);
  const promise = { reservationId, machineId, appName, epoch, resources, ports: [...command.ports], ttlMs };
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

/** What follows from what the host did with this machine in this epoch before, however often it is asked. */
function answerKnown(
  { machineId, epoch }: Pick<Commit, "machineId" | "epoch">,
  host: Host,
): HostDecision | undefined {
  const existing = host.machines.get(machineId);
  if (existing !== undefined) return existing.epoch === epoch ? UNCHANGED : isHereAlready(existing);
  const before = host.refusedCommits.get(machineId);
  if (before === undefined || before.epoch < epoch) return undefined;
  return refused(refusal(before.code, before.message, { details: { epoch: before.epoch } }));
}

/** Room that is reserved is not refused to whom it was reserved for, unless it wants more than that. */
function refuseCommit(command: Commit, host: Host): Refusal | undefined {
  const { machineId, reservationId, config } = command;
  const resources = resourcesOf(config);
  const ports = config.publish ?? [];
  const reservation = host.reservations.get(reservationId);
  if (reservation?.machineId !== machineId) {
    const { features, antiAffinity } = placementRulesOf(config.placement);
    const isAlone = antiAffinity === "hard";
    return refuseAdmission(host, { ...command, resources, ports, features, isAlone });
  }
  return refuseUnlessFits(host, resources, reservation.resources) ?? refuseTakenPort(host, machineId, ports);
}

function commitRefused(
  { reservationId, machineId, epoch }: Pick<Commit, "reservationId" | "machineId" | "epoch">,
  host: Host,
  { code, message }: Pick<Refusal, "code" | "message">,
): HostDecision {
  return accepted({
    type: "CommitRefused",
    data: { hostId: host.id, reservationId, machineId, epoch, code, message },
  });
}

function isHereAlready({ id, epoch }: Machine): HostDecision {
  return staleEpoch(`machine ${id} is here in epoch ${epoch}`, epoch);
}

function staleEpoch(message: string, epoch: number): HostDecision {
  return refused(refusal("stale_epoch", message, { details: { epoch } }));
}
