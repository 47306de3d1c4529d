import { TerminalError } from "#kernel";
import type { ImageStore } from "../images/image-store.ts";
import { RootfsStore } from "./rootfs-store.ts";

/** One machine's layer: what it was laid over and what was written to it. */
export interface SimulatedLayer {
  readonly layerKey: string;
  readonly digest: string;
  readonly files: Map<string, string>;
}

/** Root filesystems in memory. Two stores over the same layers are one before and after a restart. */
export class SimulatedRootfsStore extends RootfsStore {
  readonly #images: ImageStore;
  readonly layers: Map<string, SimulatedLayer>;
  /** Machines whose layer is in use. */
  readonly busy = new Set<string>();

  constructor(images: ImageStore, layers = new Map<string, SimulatedLayer>()) {
    super();
    this.#images = images;
    this.layers = layers;
  }

  override async prepare(
    machineId: string,
    layerKey: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    if ((await this.#images.load(digest)) === undefined) {
      throw new TerminalError("image_not_found", `The image ${digest} is not on this host: pull it again.`);
    }
    const layer = this.layers.get(machineId);
    if (layer?.layerKey !== layerKey || layer.digest !== digest) {
      this.#assertIdle(machineId);
      this.layers.set(machineId, { layerKey, digest, files: new Map() });
    }
    return `/simulated/rootfs/${machineId}/${layerKey}`;
  }

  override async remove(machineId: string): Promise<void> {
    this.#assertIdle(machineId);
    this.layers.delete(machineId);
  }

  override async list(): Promise<string[]> {
    return [...this.layers.keys()];
  }

  #assertIdle(machineId: string): void {
    if (this.busy.has(machineId)) throw new Error(`umount: the root filesystem of ${machineId} is busy`);
  }
}
