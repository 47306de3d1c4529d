import type { PublishedPort, Resources } from "#contracts";
import { type Refusal, refusal } from "#kernel";
import { portKey } from "./holdings.ts";
import { NOTHING, plus } from "./resources.ts";
import type { Host } from "./state.ts";

/** What is promised right now: to machines that hold resources, to volumes and snapshots, and to reservations. */
export function promisedOf(host: Host): Resources {
  return host.holdings.promised;
}

/** What the host has beyond what it promised. Negative when it came to have less than that. */
export function freeOf({ capacity, holdings: { promised } }: Host): Resources {
  return plus(capacity, promised, -1);
}

/** Machines that exist, and reservations for more. */
export function machineCountOf({ machines, departed, reservations, holdings }: Host): number {
  return machines.size - departed.length + reservations.size - holdings.reservedVolumes;
}

/** Machines of an app that exist, and reservations for more. */
export function appMachineCountOf({ holdings }: Host, appName: string): number {
  return holdings.machinesOfApp.get(appName) ?? 0;
}

/** What there may be too little of, in the order in which it is told. */
const KINDS = [
  ["memoryMib", "MiB of memory"],
  ["cpuMillis", "CPU millis"],
  ["volumeMib", "MiB for volumes"],
] as const;

/**
 * Whether `wanted` fits in place of `held`, which is promised already (I8, F25). Taking less is never refused. The
 * refusal says what was asked, what is free, and that it is this host which said no (F09).
 */
export function refuseUnlessFits(host: Host, wanted: Resources, held = NOTHING): Refusal | undefined {
  const room = plus(freeOf(host), held);
  for (const [key, name] of KINDS) {
    const [asked, has, of] = [wanted[key] ?? 0, room[key] ?? 0, host.capacity[key] ?? 0];
    if (asked <= (held[key] ?? 0) || asked <= has) continue;
    const short = `${asked} ${name} wanted, ${has} of ${of} free`;
    return refusal("insufficient_capacity", `host ${host.id} has no room: ${short}`, {
      details: { hostId: host.id, wanted, free: room },
    });
  }
  return undefined;
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
