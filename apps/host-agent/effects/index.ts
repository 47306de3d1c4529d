import { TerminalError } from "#kernel";
import type { MachineStep } from "#machines";
import type { Effect } from "#operations";
import { awaitExit, sendSignal } from "./end-process.ts";
import { type LaunchPorts, launch } from "./launch.ts";
import { type MachineOf, prepareNetwork, prepareRootfs, pullImage } from "./prepare.ts";
import { remove } from "./remove.ts";

/** The world as effects see it: the ports of libs/runtime. */
export type RuntimePorts = LaunchPorts;

/** One effect per step name of libs/machines: a step without one does not compile. */
export function effectsOf(
  ports: RuntimePorts,
  machineOf: MachineOf,
  imagesInUse: () => Iterable<string>,
  bootId: string,
): Readonly<Record<MachineStep, Effect>> {
  const { images, network, rootfs, containers, logs } = ports;
  return {
    "pull-image": pullImage(images, imagesInUse),
    "prepare-network": prepareNetwork(network, machineOf, bootId),
    "prepare-rootfs": prepareRootfs(rootfs, images, containers, machineOf, bootId),
    launch: launch(ports, machineOf, bootId),
    "keep-process": async () => null,
    "send-signal": sendSignal(containers),
    "await-exit": awaitExit(containers),
    suspend: async () => {
      throw new TerminalError("unsupported", "containers cannot be suspended: stop the machine");
    },
    "remove-container": remove((machineId) => containers.removeContainers(machineId)),
    "remove-network": remove((machineId) => network.remove(machineId)),
    "remove-rootfs": remove((machineId) => rootfs.remove(machineId)),
    "remove-logs": remove((machineId) => logs.remove(machineId)),
  };
}
