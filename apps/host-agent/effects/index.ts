import { TerminalError } from "#kernel";
import type { Machine, MachineStep } from "#machines";
import type { Effect } from "#operations";
import type { VolumeStore } from "#runtime";
import type { Volume, VolumeStep } from "#volumes";
import { awaitExit, keepProcess, type Released, sendSignal } from "./end-process.ts";
import { type LaunchPorts, launch } from "./launch.ts";
import { type LaunchSpecOf, launchSpecs } from "./launch-spec.ts";
import { launchMounts } from "./mounts.ts";
import type { MachineOf } from "./place.ts";
import { prepare } from "./prepare.ts";
import { pullImage } from "./pull-image.ts";
import { remove } from "./remove.ts";
import { volumeEffectsOf } from "./volumes.ts";

/** The world as effects see it: the ports of libs/runtime. */
export interface RuntimePorts extends LaunchPorts {
  readonly volumes: VolumeStore;
}

/** What effects ask the log. */
export interface KnownMachines {
  readonly host: { readonly id: string; readonly volumes: ReadonlyMap<string, Volume> };
  machine(machineId: string): Machine | undefined;
  /** Digests that some machine runs from, or may go back to. */
  imagesInUse(): Iterable<string>;
}

/** One effect per step name of libs/machines and libs/volumes: a step without one does not compile. */
export function effectsOf(
  ports: RuntimePorts,
  machines: KnownMachines,
  released: Released,
): Readonly<Record<MachineStep | VolumeStep, Effect>> {
  const { images, network, rootfs, containers, logs } = ports;
  const machineOf: MachineOf = ({ subjectId }) => {
    const machine = machines.machine(subjectId);
    if (machine === undefined) throw new TerminalError("not_found", `machine ${subjectId} is not here`);
    return machine;
  };
  const specOf: LaunchSpecOf = launchSpecs(
    () => machines.host.id,
    launchMounts(ports.volumes, (volumeId) => machines.host.volumes.get(volumeId)),
  );
  return {
    ...volumeEffectsOf(ports.volumes),
    "pull-image": pullImage(images, () => machines.imagesInUse()),
    prepare: prepare(ports, machineOf, specOf),
    launch: launch(ports, machineOf, specOf),
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
