import type { Machine } from "#machines";
import type { LaunchSpec } from "#runtime";
import type { MountsOf } from "./mounts.ts";
import type { Place } from "./place.ts";
import { processOf } from "./process.ts";

/** All that one start of the machine's process needs. Throws `TerminalError` when there is nothing to run. */
export type LaunchSpecOf = (machine: Machine, startId: string, place: Place) => LaunchSpec;

/** How machines of a host are launched. */
export function launchSpecs(hostId: () => string, mountsOf: MountsOf): LaunchSpecOf {
  return (machine, startId, { image, ...place }) => ({
    machineId: machine.id,
    startId,
    ...place,
    hostname: machine.id,
    addresses: [machine.ipv4, machine.privateIp],
    process: processOf(machine, hostId(), image),
    resources: machine.resources,
    mounts: mountsOf(machine),
  });
}
