import { type HostLogEvent, resourcesOf } from "#contracts";
import { accepted, assertNever, type Decision, type Refusal, refusal, refused, UNCHANGED } from "#kernel";
import { decideCreate, decideMachine, evolveMachine, type Machine } from "#machines";
import { nextIpv4, privateIpOf } from "./address.ts";
import { machineCountOf, refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { HostCommand, HostCommandOf } from "./command.ts";
import { isMachineEvent } from "./evolve.ts";
import type { Host } from "./state.ts";

type HostDecision = Decision<HostLogEvent>;

/** Decides any command against the host's present state. Pure: never changes `host`. */
export function decideHost(command: HostCommand, host: Host): HostDecision {
  switch (command.type) {
    case "OpenLog":
      return decideOpen(command, host);
    case "ClaimEpoch": {
      const { agentVersion, bootId } = command;
      const data = { hostId: host.id, epoch: host.agentEpoch + 1, agentVersion, bootId };
      return accepted({ type: "AgentEpochClaimed", data });
    }
    case "MeasureCapacity":
      return decideMeasured(command, host);
    case "ReserveMachine":
      return decideReserve(command, host);
    case "EndReservation":
      return decideEndReservation(command, host);
    case "CommitMachine":
      return decideCommit(command, host);
    case "Machine":
      return decideForMachine(command, host);
    case "Cordon": {
      const { owner, reason, expiresAtMs } = command;
      return accepted({ type: "HostCordoned", data: { hostId: host.id, owner, reason, expiresAtMs } });
    }
    case "Uncordon": {
      if (host.cordon === undefined) return UNCHANGED;
      const { owner, reason } = command;
      return accepted({ type: "HostUncordoned", data: { hostId: host.id, owner, reason } });
    }
    case "ReportUnknownContainer": {
      const { containerId, reason } = command;
      return accepted({ type: "UnknownContainerFound", data: { hostId: host.id, containerId, reason } });
    }
    case "RaiseAlarm": {
      const { alarm, message } = command;
      return accepted({ type: "HostAlarmRaised", data: { hostId: host.id, alarm, message } });
    }
    case "RecordRefusal":
      return decideRecordRefusal(command, host);
    default:
      return assertNever(command);
  }
}

/**
 * Whether the host would take this machine now: the same question for a bid, for an offer and for a commit, so that
 * nobody acts on another's picture of it (I3).
 */
export function refuseAdmission(
  host: Host,
  wanted: Pick<HostCommandOf<"ReserveMachine">, "machineId" | "resources" | "ports" | "atMs">,
): Refusal | undefined {
  if (host.cordon !== undefined && host.cordon.expiresAtMs > wanted.atMs) {
    return refusal("cordoned", `host ${host.id} is cordoned by ${host.cordon.owner}: ${host.cordon.reason}`);
  }
  if (machineCountOf(host) >= host.maxMachines) {
    return refusal("insufficient_capacity", `host ${host.id} holds its most of ${host.maxMachines} machines`);
  }
  return refuseUnlessFits(host, wanted.resources) ?? refuseTakenPort(host, wanted.machineId, wanted.ports);
}

function decideOpen(command: HostCommandOf<"OpenLog">, host: Host): HostDecision {
  if (host.logId === command.logId) return UNCHANGED;
  const { type: _, commandId: __, atMs: ___, ...data } = command;
  return accepted({ type: "HostLogOpened", data });
}

function decideMeasured(command: HostCommandOf<"MeasureCapacity">, host: Host): HostDecision {
  const { capacity, maxMachines, features } = command;
  const unchanged =
    capacity.cpuMillis === host.capacity.cpuMillis &&
    capacity.memoryMib === host.capacity.memoryMib &&
    maxMachines === host.maxMachines &&
    features.join() === host.features.join();
  if (unchanged) return UNCHANGED;
  const data = { hostId: host.id, capacity, maxMachines, features: [...features] };
  return accepted({ type: "HostCapacityMeasured", data });
}

function decideReserve(command: HostCommandOf<"ReserveMachine">, host: Host): HostDecision {
  if (host.reservations.has(command.reservationId)) return UNCHANGED;
  const existing = host.machines.get(command.machineId);
  if (existing !== undefined)
    return existing.epoch === command.epoch ? UNCHANGED : staleEpoch(existing, command.epoch);
  const reason = refuseAdmission(host, command);
  if (reason !== undefined) return refused(reason);
  const { reservationId, machineId, epoch, resources, ttlMs } = command;
  const data = {
    hostId: host.id,
    reservationId,
    machineId,
    epoch,
    resources,
    ports: [...command.ports],
    ttlMs,
  };
  return accepted({ type: "ReservationMade", data });
}

function decideEndReservation(command: HostCommandOf<"EndReservation">, host: Host): HostDecision {
  const { reservationId, reason } = command;
  if (!host.reservations.has(reservationId)) return UNCHANGED;
  return accepted({ type: "ReservationEnded", data: { hostId: host.id, reservationId, reason } });
}

function decideCommit(command: HostCommandOf<"CommitMachine">, host: Host): HostDecision {
  const existing = host.machines.get(command.machineId);
  if (existing !== undefined)
    return existing.epoch === command.epoch ? UNCHANGED : staleEpoch(existing, command.epoch);
  const { machineId, epoch, appName, name, instanceId, config, skipLaunch, origin, atMs } = command;
  const resources = resourcesOf(config);
  const wanted = { machineId, resources, ports: config.publish ?? [], atMs };
  const reason = host.reservations.has(command.reservationId) ? undefined : refuseAdmission(host, wanted);
  if (reason !== undefined) return refused(reason);
  const address = nextIpv4(host);
  if (address === undefined) {
    return refused(refusal("insufficient_capacity", `host ${host.id} has no address left`));
  }
  return decideCreate({
    type: "CreateMachine",
    // The reservation's id is the create's command id and becomes the operation's: the fold frees the reservation by it.
    commandId: command.reservationId,
    atMs,
    origin,
    machineId,
    appName,
    name,
    region: host.region,
    epoch,
    instanceId,
    config,
    resources,
    ipv4: address.ipv4,
    privateIp: privateIpOf(host.clusterId, machineId),
    skipLaunch,
  });
}

/** A machine's own decision, admitted only if it does not make the host promise more than it has (I8). */
function decideForMachine(command: HostCommandOf<"Machine">, host: Host): HostDecision {
  const machine = host.machines.get(command.machineId);
  if (machine === undefined) {
    return refused(refusal("not_found", `no machine ${command.machineId} on host ${host.id}`));
  }
  const decision = decideMachine(command.command, machine);
  if (decision.kind !== "accepted" || !isMachineEvent(decision.event)) return decision;
  const after = evolveMachine(machine, decision.event, command.atMs);
  const reason = refuseGrowth(host, machine, after);
  return reason === undefined ? decision : refused(reason);
}

function refuseGrowth(host: Host, before: Machine, after: Machine): Refusal | undefined {
  const held = before.holdsResources ? before.resources : { cpuMillis: 0, memoryMib: 0 };
  const needed = after.holdsResources ? after.resources : { cpuMillis: 0, memoryMib: 0 };
  const growth = {
    cpuMillis: needed.cpuMillis - held.cpuMillis,
    memoryMib: needed.memoryMib - held.memoryMib,
  };
  if (growth.cpuMillis > 0 || growth.memoryMib > 0) {
    const reason = refuseUnlessFits(host, growth);
    if (reason !== undefined) return reason;
  }
  const ports = after.config.publish ?? [];
  return after.config === before.config ? undefined : refuseTakenPort(host, before.id, ports);
}

function decideRecordRefusal(command: HostCommandOf<"RecordRefusal">, host: Host): HostDecision {
  const { machineId, refused: name, code, message, count } = command;
  const said = { command: name, code, message, count };
  if (machineId !== undefined && host.machines.has(machineId)) {
    return accepted({ type: "CommandRefused", data: { machineId, ...said } });
  }
  const about = machineId === undefined ? {} : { machineId };
  return accepted({ type: "HostCommandRefused", data: { hostId: host.id, ...about, ...said } });
}

function staleEpoch(existing: Machine, epoch: number): HostDecision {
  const message = `machine ${existing.id} is here in epoch ${existing.epoch}, not ${epoch}`;
  return refused(refusal("stale_epoch", message, { details: { epoch: existing.epoch } }));
}
