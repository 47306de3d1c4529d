import { z } from "zod";
import { TerminalError } from "#kernel";
import type { Machine } from "#machines";
import type { Effect, StepContext } from "#operations";
import type { ContainerRuntime, ImageStore, MachineNetwork, RootfsStore } from "#runtime";

/** The machine that a step works on, as its log has it. */
export type MachineOf = (step: StepContext) => Machine;

const pullInput = z.object({ image: z.string() });
const rootfsInput = z.object({ layerKey: z.string() });

/**
 * Brings the image. A store without room first lets go of whatever no machine uses (F34): images are kept only to
 * spare a pull.
 */
export function pullImage(images: ImageStore, inUse: () => Iterable<string>): Effect {
  return async ({ step, signal }) => {
    const { image } = pullInput.parse(step.input);
    const pulled = await images.pull(image, signal).catch(async (thrown: unknown) => {
      if (!(thrown instanceof TerminalError) || thrown.code !== "disk_full") throw thrown;
      await images.prune(inUse());
      return images.pull(image, signal);
    });
    return { digest: pulled.digest };
  };
}

/** Makes the machine's network, or what a reboot of the host left of it. */
export function prepareNetwork(network: MachineNetwork, machineOf: MachineOf, bootId: string): Effect {
  return async (context) => {
    const { netnsPath } = await network.prepare(networkSpec(machineOf(context)), context.signal);
    return { netnsPath, bootId };
  };
}

export function networkSpec(machine: Machine): Parameters<MachineNetwork["prepare"]>[0] {
  const { id: machineId, ipv4, privateIp, config } = machine;
  return { machineId, ipv4, privateIp, ports: config.publish ?? [] };
}

/**
 * Lays out a fresh root filesystem. At this step no process of the machine may run; what an abandoned start left
 * running would keep its layer busy for ever.
 */
export function prepareRootfs(
  rootfs: RootfsStore,
  images: ImageStore,
  containers: ContainerRuntime,
  machineOf: MachineOf,
  bootId: string,
): Effect {
  return async (context) => {
    const machine = machineOf(context);
    const { layerKey } = rootfsInput.parse(context.step.input);
    await containers.removeContainers(machine.id);
    const digest = imageDigestOf(context, machine);
    await bringBack(images, machine, digest, context.signal);
    const rootfsPath = await rootfs.prepare(machine.id, layerKey, digest, context.signal);
    return { rootfsPath, layerKey, bootId };
  };
}

/** The image of this run: what it pulled itself, else what the machine was made with. */
export function imageDigestOf({ outputs }: StepContext, machine: Machine): string {
  const pulled = outputs["pull-image"]?.digest;
  const digest = typeof pulled === "string" ? pulled : machine.imageDigest;
  if (digest === undefined) throw new TerminalError("image_not_found", `machine ${machine.id} has no image`);
  return digest;
}

/** A store that lost the image gets it again, as long as its reference still means the same. */
async function bringBack(
  images: ImageStore,
  machine: Machine,
  digest: string,
  signal: AbortSignal,
): Promise<void> {
  if ((await images.load(digest)) !== undefined) return;
  const pulled = await images.pull(machine.config.image, signal);
  if (pulled.digest === digest) return;
  const message = `${machine.config.image} now means ${pulled.digest}, and ${digest} is not on this host: update the machine`;
  throw new TerminalError("image_not_found", message);
}
