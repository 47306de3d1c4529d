import type { PublishedPort, Resources } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { portKey } from "./holdings.ts";
import type { Host } from "./state.ts";

const NOTHING: Resources = { cpuMillis: 0, memoryMib: 0 };

/** What is promised right now: to machines that hold resources and to reservations. */
export function promisedOf(host: Host): Resources {
  return host.holdings.promised;
}

/** What the host has beyond what it promised. Negative when it came to have less than that. */
export function freeOf({ capacity, holdings: { promised } }: Host): Resources {
  return {
    cpuMillis: capacity.cpuMillis - promised.cpuMillis,
    memoryMib: capacity.memoryMib - promised.memoryMib,
  };
}

/** Machines that exist, and reservations for more. */
export function machineCountOf(host: Host): number {
  return host.machines.size - host.departed.length + host.reservations.size;
}

/** Machines of an app that exist, and reservations for more. */
export function appMachineCountOf({ holdings }: Host, appName: string): number {
  return holdings.machinesOfApp.get(appName) ?? 0;
}

/**
 * Whether `wanted` fits in place of `held`, which is promised already (I8, F25). Taking less is never refused. The
 * refusal says what was asked, what is free, and that it is this host which said no (F09).
 */
export function refuseUnlessFits(host: Host, wanted: Resources, held = NOTHING): Refusal | undefined {
  const free = freeOf(host);
  const room = { cpuMillis: free.cpuMillis + held.cpuMillis, memoryMib: free.memoryMib + held.memoryMib };
  const isShortOf = (key: keyof Resources) => wanted[key] > held[key] && wanted[key] > room[key];
  if (!isShortOf("cpuMillis") && !isShortOf("memoryMib")) return undefined;
  const short = isShortOf("memoryMib")
    ? `${wanted.memoryMib} MiB of memory wanted, ${room.memoryMib} of ${host.capacity.memoryMib} free`
    : `${wanted.cpuMillis} CPU millis wanted, ${room.cpuMillis} of ${host.capacity.cpuMillis} free`;
  return refusal("insufficient_capacity", `host ${host.id} has no room: ${short}`, {
    details: { hostId: host.id, wanted, free: room },
  });
}

/** Whether a published port is held on this host by somebody other than `machineId`, or is asked for twice. */
export function refuseTakenPort(
  host: Host,
  machineId: string,
  ports: readonly PublishedPort[],
): Refusal | undefined {
  const asked = new Set<string>();
  for (const port of ports) {
    const key = portKey(port);
    const name = `port ${port.host_port}/${port.protocol}`;
    if (asked.has(key)) return refusal("invalid", `${name} is published twice: name it once`);
    asked.add(key);
    const holder = host.holdings.ports.get(key);
    if (holder === undefined || holder === machineId) continue;
    const message = `${name} of host ${host.id} belongs to machine ${holder}: choose another`;
    return refusal("port_taken", message, { details: { hostId: host.id, port: port.host_port, holder } });
  }
  return undefined;
}
