import type { Machine } from "#machines";
import type { LaunchSpec } from "#runtime";
import type { Place } from "./place.ts";
import { processOf } from "./process.ts";

/** All that one start of the machine's process needs. Throws `TerminalError` when there is nothing to run. */
export function launchSpecOf(
  machine: Machine,
  hostId: string,
  startId: string,
  { image, ...place }: Place,
): LaunchSpec {
  return {
    machineId: machine.id,
    startId,
    ...place,
    hostname: machine.id,
    addresses: [machine.ipv4, machine.privateIp],
    process: processOf(machine, hostId, image),
    resources: machine.resources,
    mounts: [],
  };
}
