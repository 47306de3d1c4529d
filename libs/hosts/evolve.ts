import { type HostEvent, type HostLogEvent, type MachineEvent, machineEvents } from "#contracts";
import { assertNever } from "#kernel";
import { bornFrom, evolveMachine } from "#machines";
import { addressAfter } from "./address.ts";
import { type Host, hostFromJson } from "./state.ts";

/** Destroyed machines are remembered for this long, and beyond it while there are few of them. */
const DEPARTED_MEMORY_MS = 600_000;
const DEPARTED_MEMORY_COUNT = 1_000;

/** The host after one event of its log. Changes `host` in place and returns it. `atMs`: the event clock's wall time. */
export function evolveHost(host: Host, event: HostLogEvent, atMs: number): Host {
  return isMachineEvent(event) ? applyToMachine(host, event, atMs) : applyToHost(host, event);
}

/** Whether an event is about one machine. */
export function isMachineEvent(event: HostLogEvent): event is MachineEvent {
  return event.type in machineEvents;
}

function applyToMachine(host: Host, event: MachineEvent, atMs: number): Host {
  const { machineId } = event.data;
  if (event.type === "MachineCreating") {
    host.reservations.delete(event.data.operation.id);
    host.machines.set(machineId, bornFrom(event.data));
    host.nextAddress = addressAfter(event.data.ipv4);
    return host;
  }
  const machine = host.machines.get(machineId);
  if (machine === undefined) return host;
  host.machines.set(machineId, evolveMachine(machine, event, atMs));
  if (event.type === "MachineDestroyed" || event.type === "MachineReleased") depart(host, machineId, atMs);
  return host;
}

/** Bounded memory: state must not grow with history (F15). */
function depart(host: Host, machineId: string, atMs: number): void {
  host.departed.push({ id: machineId, atMs });
  while (host.departed.length > DEPARTED_MEMORY_COUNT && host.departed[0]!.atMs < atMs - DEPARTED_MEMORY_MS) {
    host.machines.delete(host.departed.shift()!.id);
  }
}

function applyToHost(host: Host, event: HostEvent): Host {
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
    case "ReservationMade": {
      const { hostId: _, reservationId, ...promised } = event.data;
      host.reservations.set(reservationId, { id: reservationId, ...promised });
      return host;
    }
    case "ReservationEnded":
      host.reservations.delete(event.data.reservationId);
      return host;
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
