import { z } from "zod";
import { TerminalError } from "#kernel";
import type { Machine } from "#machines";
import type { Effect, StepContext } from "#operations";
import type { ContainerRuntime, ImageStore, MachineLogs, MachineNetwork, RootfsStore } from "#runtime";
import { imageDigestOf, type MachineOf, networkSpec } from "./prepare.ts";
import { processOf } from "./process.ts";

const input = z.object({ startId: z.string() });

/** What a launch needs of the world. */
export interface LaunchPorts {
  readonly images: ImageStore;
  readonly network: MachineNetwork;
  readonly rootfs: RootfsStore;
  readonly containers: ContainerRuntime;
  readonly logs: MachineLogs;
}

/** Runs the machine's process, once per start. */
export function launch(ports: LaunchPorts, machineOf: MachineOf, bootId: string): Effect {
  return async (context) => {
    const machine = machineOf(context);
    const { startId } = input.parse(context.step.input);
    const image = await ports.images.load(imageDigestOf(context, machine));
    if (image === undefined) {
      throw new TerminalError("image_not_found", `the image of machine ${machine.id} is not on this host`);
    }
    const process = processOf(machine, image.config);
    const place = preparedPlace(context, bootId) ?? (await prepareAgain(ports, context, machine));
    const { startedAtMs } = await ports.containers.launch(
      {
        machineId: machine.id,
        startId,
        ...place,
        hostname: machine.id,
        addresses: [machine.ipv4, machine.privateIp],
        process,
        resources: machine.resources,
        logPath: await ports.logs.prepare(machine.id),
      },
      context.signal,
    );
    return { startedAtMs };
  };
}

interface Place {
  readonly netnsPath: string;
  readonly rootfsPath: string;
}

const networkOutput = z.object({ bootId: z.string(), netnsPath: z.string() });
const rootfsOutput = z.object({ bootId: z.string(), rootfsPath: z.string() });

/** What the steps before made, unless the host has been rebooted since: its namespaces and mounts are gone then. */
function preparedPlace({ outputs }: StepContext, bootId: string): Place | undefined {
  const network = networkOutput.safeParse(outputs["prepare-network"]).data;
  const rootfs = rootfsOutput.safeParse(outputs["prepare-rootfs"]).data;
  if (network?.bootId !== bootId || rootfs?.bootId !== bootId) return undefined;
  return { netnsPath: network.netnsPath, rootfsPath: rootfs.rootfsPath };
}

async function prepareAgain(ports: LaunchPorts, context: StepContext, machine: Machine): Promise<Place> {
  const layerKey = z.string().parse(context.outputs["prepare-rootfs"]?.layerKey);
  const digest = imageDigestOf(context, machine);
  const { netnsPath } = await ports.network.prepare(networkSpec(machine), context.signal);
  return {
    netnsPath,
    rootfsPath: await ports.rootfs.prepare(machine.id, layerKey, digest, context.signal),
  };
}
