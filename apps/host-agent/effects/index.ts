import { TerminalError } from "#kernel";
import type { Machine, MachineStep } from "#machines";
import type { Effect } from "#operations";
import { awaitExit, keepProcess, type Released, sendSignal } from "./end-process.ts";
import { type LaunchPorts, launch } from "./launch.ts";
import type { MachineOf } from "./place.ts";
import { prepare } from "./prepare.ts";
import { pullImage } from "./pull-image.ts";
import { remove } from "./remove.ts";

/** The world as effects see it: the ports of libs/runtime. */
export type RuntimePorts = LaunchPorts;

/** What effects ask the log. */
export interface KnownMachines {
  readonly host: { readonly id: string };
  machine(machineId: string): Machine | undefined;
  /** Digests that some machine runs from, or may go back to. */
  imagesInUse(): Iterable<string>;
}

/** One effect per step name of libs/machines: a step without one does not compile. */
export function effectsOf(
  ports: RuntimePorts,
  machines: KnownMachines,
  released: Released,
): Readonly<Record<MachineStep, Effect>> {
  const { images, network, rootfs, containers, logs } = ports;
  const machineOf: MachineOf = ({ subjectId }) => {
    const machine = machines.machine(subjectId);
    if (machine === undefined) throw new TerminalError("not_found", `machine ${subjectId} is not here`);
    return machine;
  };
  return {
    "pull-image": pullImage(images, () => machines.imagesInUse()),
    prepare: prepare(ports, machineOf, () => machines.host.id),
    launch: launch(ports, machineOf, () => machines.host.id),
    "keep-process": keepProcess,
    "send-signal": sendSignal(containers, machineOf, released),
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
