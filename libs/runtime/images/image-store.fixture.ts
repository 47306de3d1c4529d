import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SimulatedClock, SystemClock, SystemIds } from "#kernel";
import type { CraftedImage } from "./crafted-image.fixture.ts";
import { CraftedRegistry } from "./crafted-registry.fixture.ts";
import type { PulledImage } from "./image-store.ts";
import { OciImageStore, type OciImageStoreSettings } from "./oci-image-store.ts";

/** A real image store in a folder of its own, beside a registry that does as it is told. */
export class ImageStoreBench {
  /** Free for the test's use; deleted at the end. */
  readonly root: string;
  readonly registry: CraftedRegistry;
  /** The store's folder. */
  dir: string;
  store!: OciImageStore;
  readonly clock = new SimulatedClock();

  private constructor(root: string, registry: CraftedRegistry) {
    this.root = root;
    this.dir = join(root, "images");
    this.registry = registry;
  }

  static async open(): Promise<ImageStoreBench> {
    const bench = new ImageStoreBench(
      await mkdtemp(join(tmpdir(), "drover imäges,a=")),
      await CraftedRegistry.start(),
    );
    await bench.reopen();
    return bench;
  }

  /** The store again, as after a restart of its process. */
  async reopen(settings: Partial<OciImageStoreSettings> = {}): Promise<OciImageStore> {
    const ids = new SystemIds(new SystemClock());
    const usual = { dir: this.dir, ids, clock: this.clock, reserveBytes: 0, findCachedTimeoutMs: 5_000 };
    this.store = await OciImageStore.open({ ...usual, ...settings });
    return this.store;
  }

  publish(image: CraftedImage): string {
    return this.registry.publish("app", "v1", image);
  }

  pull(reference: string): Promise<PulledImage> {
    return this.store.pull(reference, new AbortController().signal);
  }

  pullImage(image: CraftedImage): Promise<PulledImage> {
    return this.pull(this.publish(image));
  }

  /** Of the file `content` in an unpacked image. */
  contentOf(digest: string): Promise<string> {
    return readFile(join(this.store.rootfsOf(digest), "content"), "utf8");
  }

  /** What is half done, and what is unpacked. */
  async leftovers(): Promise<string[]> {
    return [...(await readdir(join(this.dir, "staging"))), ...(await readdir(join(this.dir, "unpacked")))];
  }

  async close(): Promise<void> {
    await this.registry.stop();
    await rm(this.root, { recursive: true });
  }
}
