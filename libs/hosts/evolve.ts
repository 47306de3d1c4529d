import {
  type HostEvent,
  type HostLogEvent,
  type MachineEvent,
  machineEvents,
  type VolumeEvent,
  volumeEvents,
} from "#contracts";
import { assertNever } from "#kernel";
import { bornFrom, evolveMachine, type Machine } from "#machines";
import { addressAfter } from "./address.ts";
import { attachVolumes } from "./attach.ts";
import { endReservation, reserved } from "./evolve-reservation.ts";
import { evolveVolumes } from "./evolve-volume.ts";
import { holdMachine, releaseMachine } from "./holdings.ts";
import { claimantId } from "./reservation.ts";
import { type Host, hostFromJson, type RefusedCommit } from "./state.ts";

/** What is over is remembered for this long, and beyond it while there is little of it. */
const MEMORY_MS = 600_000;
const MEMORY_COUNT = 1_000;

/** The host after one event of its log. Changes `host` in place and returns it. `atMs`: the event clock's wall time. */
export function evolveHost(host: Host, event: HostLogEvent, atMs: number): Host {
  if (isMachineEvent(event)) return applyToMachine(host, event, atMs);
  return isVolumeEvent(event) ? evolveVolumes(host, event, atMs) : applyToHost(host, event, atMs);
}

/** Whether an event is about one machine. */
export function isMachineEvent(event: HostLogEvent): event is MachineEvent {
  return event.type in machineEvents;
}

/** Whether an event is about one volume, or a snapshot of it. */
export function isVolumeEvent(event: HostLogEvent): event is VolumeEvent {
  return event.type in volumeEvents;
}

function applyToMachine(host: Host, event: MachineEvent, atMs: number): Host {
  const { machineId } = event.data;
  if (event.type === "MachineCreating") {
    endReservation(host, host.holdings.reservationOf.get(machineId));
    replaceMachine(host, host.machines.get(machineId), bornFrom(event.data));
    host.holdings.addresses.add(event.data.ipv4);
    host.nextAddress = addressAfter(event.data.ipv4);
    return host;
  }
  const machine = host.machines.get(machineId);
  if (machine === undefined) return host;
  replaceMachine(host, machine, evolveMachine(machine, event, atMs));
  if (event.type === "MachineDestroyed" || event.type === "MachineReleased") depart(host, machineId, atMs);
  return host;
}

/** What a machine holds changes with its state, and only with it. */
function replaceMachine(host: Host, before: Machine | undefined, after: Machine): void {
  host.machines.set(after.id, after);
  if (before?.state === after.state) return;
  if (before !== undefined) releaseMachine(host.holdings, before);
  holdMachine(host.holdings, after);
  attachVolumes(host, before, after);
}

/** Bounded memory: state must not grow with history (F15). */
function depart(host: Host, machineId: string, atMs: number): void {
  host.departed.push({ id: machineId, atMs });
  while (host.departed.length > MEMORY_COUNT && host.departed[0]!.atMs < atMs - MEMORY_MS) {
    const gone = host.machines.get(host.departed.shift()!.id);
    if (gone === undefined) continue;
    host.machines.delete(gone.id);
    host.holdings.addresses.delete(gone.ipv4);
  }
}

function applyToHost(host: Host, event: HostEvent, atMs: number): Host {
  switch (event.type) {
    case "HostLogOpened":
      return opened(host, event.data);
    case "AgentEpochClaimed":
      host.agentEpoch = event.data.epoch;
      host.bootId = event.data.bootId;
      return host;
    case "HostCapacityMeasured":
      host.capacity = event.data.capacity;
      host.maxMachines = event.data.maxMachines;
      host.features = event.data.features;
      return host;
    case "ReservationMade":
      return reserved(host, event.data);
    case "ReservationEnded":
      return endReservation(host, event.data.reservationId);
    case "CommitRefused": {
      const { hostId: _, reservationId, ...refused } = event.data;
      rememberRefusal(host.refusedCommits, { ...refused, atMs });
      return endReservation(host, reservationId);
    }
    case "HostCordoned": {
      const { owner, reason, expiresAtMs } = event.data;
      host.cordon = { owner, reason, expiresAtMs };
      return host;
    }
    case "HostUncordoned":
      delete host.cordon;
      return host;
    case "UnknownContainerFound":
    case "HostAlarmRaised":
    case "HostCommandRefused":
      return host;
    default:
      return assertNever(event);
  }
}

function opened(host: Host, data: Extract<HostEvent, { type: "HostLogOpened" }>["data"]): Host {
  if (data.previous !== undefined) Object.assign(host, hostFromJson(data.previous.state));
  host.id = data.hostId;
  host.logId = data.logId;
  host.region = data.region;
  host.clusterId = data.clusterId;
  host.subnet = data.subnet;
  return host;
}

function rememberRefusal(commits: Map<string, RefusedCommit>, refused: RefusedCommit): void {
  commits.delete(claimantId(refused));
  commits.set(claimantId(refused), refused);
  for (const [id, commit] of commits) {
    if (commits.size <= MEMORY_COUNT || commit.atMs >= refused.atMs - MEMORY_MS) return;
    commits.delete(id);
  }
}
