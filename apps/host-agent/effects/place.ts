import { TerminalError } from "#kernel";
import type { Machine } from "#machines";
import type { StepContext } from "#operations";
import type { ImageConfig, ImageStore, MachineLogs, MachineNetwork, RootfsStore } from "#runtime";

/** The machine that a step works on, as its log has it. */
export type MachineOf = (step: StepContext) => Machine;

/** What the place of a process is made with. */
export interface PlacePorts {
  readonly images: ImageStore;
  readonly network: MachineNetwork;
  readonly rootfs: RootfsStore;
  readonly logs: MachineLogs;
}

/** Where a machine's process runs and says what it has to say, and what its image says of it. */
export interface Place {
  readonly image: ImageConfig;
  readonly netnsPath: string;
  readonly rootfsPath: string;
  readonly logPath: string;
}

/**
 * The machine's network, root filesystem and log, made side by side where they are not there: the first time, and after
 * the host was rebooted. What stands costs a look.
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
  // All are waited for: whoever tries again must find none of them still at work.
  const [network, rootfs, log] = await Promise.allSettled([
    ports.network.prepare(spec, signal),
    laid(),
    ports.logs.prepare(machineId),
  ]);
  if (network.status === "rejected") throw network.reason;
  if (rootfs.status === "rejected") throw rootfs.reason;
  if (log.status === "rejected") throw log.reason;
  return { ...network.value, ...rootfs.value, logPath: log.value };
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
