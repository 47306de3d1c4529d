import type { PublishedPort, Resources } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { isTerminal } from "#machines";
import type { Host } from "./state.ts";

/** What is promised right now: to machines that hold resources and to reservations. */
export function promisedOf(host: Host): Resources {
  let cpuMillis = 0;
  let memoryMib = 0;
  for (const machine of host.machines.values()) {
    if (!machine.holdsResources) continue;
    cpuMillis += machine.resources.cpuMillis;
    memoryMib += machine.resources.memoryMib;
  }
  for (const { resources } of host.reservations.values()) {
    cpuMillis += resources.cpuMillis;
    memoryMib += resources.memoryMib;
  }
  return { cpuMillis, memoryMib };
}

/** Machines that exist, and reservations for more. */
export function machineCountOf(host: Host): number {
  return host.machines.size - host.departed.length + host.reservations.size;
}

/**
 * Whether `wanted` fits beside what is promised (I8, F25). The refusal says what was asked, what is free, and that it
 * is this host which said no (F09).
 */
export function refuseUnlessFits(host: Host, wanted: Resources): Refusal | undefined {
  const promised = promisedOf(host);
  const freeCpuMillis = host.capacity.cpuMillis - promised.cpuMillis;
  const freeMemoryMib = host.capacity.memoryMib - promised.memoryMib;
  if (wanted.cpuMillis <= freeCpuMillis && wanted.memoryMib <= freeMemoryMib) return undefined;
  const short =
    wanted.memoryMib > freeMemoryMib
      ? `${wanted.memoryMib} MiB of memory wanted, ${freeMemoryMib} of ${host.capacity.memoryMib} free`
      : `${wanted.cpuMillis} CPU millis wanted, ${freeCpuMillis} of ${host.capacity.cpuMillis} free`;
  return refusal("insufficient_capacity", `host ${host.id} has no room: ${short}`, {
    details: { hostId: host.id, wanted, free: { cpuMillis: freeCpuMillis, memoryMib: freeMemoryMib } },
  });
}

/** Whether a published port is held on this host by somebody other than `machineId`. */
export function refuseTakenPort(
  host: Host,
  machineId: string,
  ports: readonly PublishedPort[],
): Refusal | undefined {
  if (ports.length === 0) return undefined;
  const held = heldPorts(host, machineId);
  for (const port of ports) {
    const holder = held.get(portKey(port));
    if (holder === undefined) continue;
    const message = `port ${port.host_port}/${port.protocol} of host ${host.id} belongs to machine ${holder}: choose another`;
    return refusal("port_taken", message, { details: { hostId: host.id, port: port.host_port, holder } });
  }
  return undefined;
}

function heldPorts(host: Host, exceptMachineId: string): Map<string, string> {
  const held = new Map<string, string>();
  for (const machine of host.machines.values()) {
    if (machine.id === exceptMachineId || isTerminal(machine.state)) continue;
    for (const port of machine.config.publish ?? []) held.set(portKey(port), machine.id);
  }
  for (const reservation of host.reservations.values()) {
    if (reservation.machineId === exceptMachineId) continue;
    for (const port of reservation.ports) held.set(portKey(port), reservation.machineId);
  }
  return held;
}

function portKey(port: PublishedPort): string {
  return `${port.protocol}/${port.host_port}`;
}
