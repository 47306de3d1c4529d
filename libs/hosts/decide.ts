import { type HostLogEvent, mountedVolumesOf } from "#contracts";
import { accepted, assertNever, type Decision, type Refusal, refusal, refused, UNCHANGED } from "#kernel";
import { decideMachine, evolveMachine, heldResources, type Machine, type MachineCommand } from "#machines";
import { refuseAttach } from "./attach.ts";
import { refuseTakenPort, refuseUnlessFits } from "./capacity.ts";
import type { HostCommand, HostCommandOf } from "./command.ts";
import { decideCommit, decideRefuseCommit, decideReserve } from "./decide-commit.ts";
import { decideCommitVolume, decideForSnapshot, decideForVolume, decideTake } from "./decide-volume.ts";
import { isMachineEvent } from "./evolve.ts";
import { isSameRoom } from "./resources.ts";
import type { Host } from "./state.ts";

type HostDecision = Decision<HostLogEvent>;

/** One whose end nobody will see is a cordon without an end. */
const LONGEST_CORDON_MS = 30 * 86_400_000;

/** Decides any command against the host's present state. Pure: never changes `host`. */
export function decideHost(command: HostCommand, host: Host): HostDecision {
  const hostId = host.id;
  switch (command.type) {
    case "OpenLog":
      return decideOpen(command, host);
    case "ClaimEpoch": {
      const { agentVersion, bootId } = command;
      const data = { hostId, epoch: host.agentEpoch + 1, agentVersion, bootId };
      return accepted({ type: "AgentEpochClaimed", data });
    }
    case "MeasureCapacity":
      return decideMeasured(command, host);
    case "ReserveMachine":
    case "ReserveVolume":
      return decideReserve(command, host);
    case "EndReservation": {
      const { reservationId, reason } = command;
      if (!host.reservations.has(reservationId)) return UNCHANGED;
      return accepted({ type: "ReservationEnded", data: { hostId, reservationId, reason } });
    }
    case "CommitMachine":
      return decideCommit(command, host);
    case "CommitVolume":
      return decideCommitVolume(command, host);
    case "RefuseCommit":
      return decideRefuseCommit(command, host);
    case "Machine":
      return decideForMachine(command, host);
    case "Volume":
      return decideForVolume(command, host);
    case "TakeSnapshot":
      return decideTake(command, host);
    case "Snapshot":
      return decideForSnapshot(command, host);
    case "Cordon":
      return decideCordon(command, host);
    case "Uncordon": {
      if (host.cordon === undefined) return UNCHANGED;
      const { owner, reason } = command;
      return accepted({ type: "HostUncordoned", data: { hostId, owner, reason } });
    }
    case "ExpireCordon":
      return decideExpireCordon(command, host);
    case "ReportUnknownContainer": {
      const { containerId, reason } = command;
      return accepted({ type: "UnknownContainerFound", data: { hostId, containerId, reason } });
    }
    case "RaiseAlarm": {
      const { alarm, message } = command;
      return accepted({ type: "HostAlarmRaised", data: { hostId, alarm, message } });
    }
    case "RecordRefusal":
      return decideRecordRefusal(command, host);
    default:
      return assertNever(command);
  }
}

function decideOpen(command: HostCommandOf<"OpenLog">, host: Host): HostDecision {
  if (host.logId === command.logId) return UNCHANGED;
  const { type: _, commandId: __, atMs: ___, ...data } = command;
  return accepted({ type: "HostLogOpened", data });
}

function decideMeasured(command: HostCommandOf<"MeasureCapacity">, host: Host): HostDecision {
  const { capacity, maxMachines, features } = command;
  const unchanged =
    isSameRoom(capacity, host.capacity) &&
    maxMachines === host.maxMachines &&
    features.join() === host.features.join();
  if (unchanged) return UNCHANGED;
  const data = { hostId: host.id, capacity, maxMachines, features: [...features] };
  return accepted({ type: "HostCapacityMeasured", data });
}

/** F24: no cordon without an end. */
function decideCordon(command: HostCommandOf<"Cordon">, host: Host): HostDecision {
  const { owner, reason, expiresAtMs } = command;
  const standing = host.cordon;
  if (expiresAtMs <= command.atMs) {
    return refused(refusal("invalid", "the cordon would have expired already: choose a later time"));
  }
  if (expiresAtMs > command.atMs + LONGEST_CORDON_MS) {
    const message = "a cordon lasts 30 days at the most: renew it for as long as it is needed";
    return refused(refusal("invalid", message));
  }
  const isSame =
    standing?.owner === owner && standing.reason === reason && standing.expiresAtMs === expiresAtMs;
  if (isSame) return UNCHANGED;
  return accepted({ type: "HostCordoned", data: { hostId: host.id, owner, reason, expiresAtMs } });
}

/** One that was renewed meanwhile stands. */
function decideExpireCordon(
  { atMs }: HostCommandOf<"ExpireCordon">,
  { id: hostId, cordon }: Host,
): HostDecision {
  if (cordon === undefined || cordon.expiresAtMs > atMs) return UNCHANGED;
  return accepted({ type: "HostUncordoned", data: { hostId, owner: cordon.owner, reason: "expired" } });
}

/** A machine's own decision, admitted only if it does not make the host promise more than it has (I8). */
function decideForMachine({ machineId, command }: HostCommandOf<"Machine">, host: Host): HostDecision {
  const machine = host.machines.get(machineId);
  if (machine === undefined) {
    return refused(refusal("not_found", `no machine ${machineId} on host ${host.id}`));
  }
  if (command.type === "SuspendMachine" && !host.features.includes("suspend")) {
    return refused(refusal("unsupported", `host ${host.id} cannot suspend machines: stop it instead`));
  }
  const decision = decideMachine(command, machine);
  if (decision.kind !== "accepted" || !isMachineEvent(decision.event) || isReport(command)) return decision;
  const reason = refuseGrowth(host, machine, evolveMachine(machine, decision.event, command.atMs));
  return reason === undefined ? decision : refused(reason);
}

/** What happened, happened: it is never refused for want of room, and never takes more than was promised before. */
function isReport(command: MachineCommand): boolean {
  return command.type === "RecordStep" || command.type === "RecordExit";
}

function refuseGrowth(host: Host, before: Machine, after: Machine): Refusal | undefined {
  const reason = refuseUnlessFits(host, heldResources(after), heldResources(before));
  const { id: machineId, appName, config } = after;
  if (reason !== undefined || config === before.config) return reason;
  const volumes = mountedVolumesOf(config);
  return (
    refuseTakenPort(host, machineId, config.publish ?? []) ??
    refuseAttach(host, { machineId, appName, volumes })
  );
}

function decideRecordRefusal(command: HostCommandOf<"RecordRefusal">, host: Host): HostDecision {
  const { machineId, volumeId, snapshotId, refused: name, code, message, count } = command;
  const said = { command: name, code, message, count };
  if (machineId !== undefined && host.machines.has(machineId)) {
    return accepted({ type: "CommandRefused", data: { machineId, ...said } });
  }
  if (volumeId !== undefined && host.volumes.has(volumeId)) {
    const about = snapshotId === undefined ? { volumeId } : { volumeId, snapshotId };
    return accepted({ type: "VolumeCommandRefused", data: { ...about, ...said } });
  }
  const about = {
    ...(machineId === undefined ? {} : { machineId }),
    ...(volumeId === undefined ? {} : { volumeId }),
  };
  return accepted({ type: "HostCommandRefused", data: { hostId: host.id, ...about, ...said } });
}
