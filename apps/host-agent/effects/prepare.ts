import { z } from "zod";
import { TerminalError } from "#kernel";
import type { Machine } from "#machines";
import type { Effect, StepContext } from "#operations";
import type { ImageConfig, ImageStore, MachineNetwork, RootfsStore } from "#runtime";

/** The machine that a step works on, as its log has it. */
export type MachineOf = (step: StepContext) => Machine;

/** What the place of a process is made with. */
export interface PlacePorts {
  readonly images: ImageStore;
  readonly network: MachineNetwork;
  readonly rootfs: RootfsStore;
}

/** Where a machine's process runs, and what its image says of it. */
export interface Place {
  readonly image: ImageConfig;
  readonly netnsPath: string;
  readonly rootfsPath: string;
}

const pullInput = z.object({ image: z.string() });
const prepareInput = z.object({ layerKey: z.string() });

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

/** Makes ready for the next start. At this step no process of the machine may run. */
export function prepare(ports: PlacePorts, machineOf: MachineOf): Effect {
  return async (context) => {
    const { layerKey } = prepareInput.parse(context.step.input);
    await placeOf(ports, context, machineOf(context), layerKey);
    return null;
  };
}

/**
 * The machine's network and root filesystem, made side by side where they are not there: the first time, and after the
 * host was rebooted. What stands costs a look.
 */
export async function placeOf(
  ports: PlacePorts,
  context: StepContext,
  machine: Machine,
  layerKey: string,
): Promise<Place> {
  const { id: machineId, ipv4, privateIp, config } = machine;
  const { signal } = context;
  const laid = async () => {
    const { digest, config: image } = await imageOf(ports.images, context, machine);
    return { image, rootfsPath: await ports.rootfs.prepare(machineId, layerKey, digest, signal) };
  };
  const spec = { machineId, ipv4, privateIp, ports: config.publish ?? [] };
  // Both are waited for: whoever tries again must find neither still at work.
  const [network, rootfs] = await Promise.allSettled([ports.network.prepare(spec, signal), laid()]);
  if (network.status === "rejected") throw network.reason;
  if (rootfs.status === "rejected") throw rootfs.reason;
  return { ...network.value, ...rootfs.value };
}

/**
 * The image of this run: what it pulled itself, else what the machine was made with. A store that lost it gets it again,
 * as long as its reference still means the same.
 */
async function imageOf(images: ImageStore, { outputs, signal }: StepContext, machine: Machine) {
  const pulledNow = outputs["pull-image"]?.digest;
  const digest = typeof pulledNow === "string" ? pulledNow : machine.imageDigest;
  if (digest === undefined) throw new TerminalError("image_not_found", `machine ${machine.id} has no image`);
  const kept = await images.load(digest);
  if (kept !== undefined) return kept;
  const pulled = await images.pull(machine.config.image, signal);
  if (pulled.digest === digest) return pulled;
  const message = `${machine.config.image} now means ${pulled.digest}, and ${digest} is not on this host: update the machine`;
  throw new TerminalError("image_not_found", message);
}
