import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { RootfsStore } from "./rootfs-store.ts";

/** A rootfs store, images for it, and hands to touch what it lays out. */
export interface RootfsWorld {
  readonly store: RootfsStore;
  /** Digests of two images on this host. */
  readonly images: readonly [string, string];
  write(machineId: string, path: string, name: string, content: string): Promise<void>;
  /** Undefined when there is no such file. */
  read(machineId: string, path: string, name: string): Promise<string | undefined>;
  /** Keeps the machine's filesystem in use until the returned function is called. */
  use(machineId: string, path: string): Promise<() => Promise<void>>;
  /** What a reboot of the host leaves, opened again. */
  rebooted(): Promise<RootfsStore>;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** What every rootfs store must do. */
export function rootfsStoreContract(name: string, open: () => Promise<RootfsWorld>): void {
  describe(`rootfs store contract: ${name}`, () => {
    let world: RootfsWorld;
    let image: string;
    beforeEach(async () => {
      world = await open();
      image = world.images[0];
    });
    afterEach(() => world.close());
    const prepare = (machineId: string, layerKey: string, digest = image) =>
      world.store.prepare(machineId, layerKey, digest, never);

    it("keeps what was written under the same key", async () => {
      const path = await prepare("m1", "k1");
      await world.write("m1", path, "note", "mine");
      expect(await prepare("m1", "k1")).toBe(path);
      expect(await world.read("m1", path, "note")).toBe("mine");
    });

    it("begins afresh under another key and takes the old layer away", async () => {
      await world.write("m1", await prepare("m1", "k1"), "note", "old");
      const second = await prepare("m1", "k2");
      expect(await world.read("m1", second, "note")).toBeUndefined();
      expect(await world.read("m1", await prepare("m1", "k1"), "note")).toBeUndefined();
    });

    it("begins afresh when the same key comes with another image", async () => {
      await world.write("m1", await prepare("m1", "k1"), "note", "old");
      const path = await prepare("m1", "k1", world.images[1]);
      expect(await world.read("m1", path, "note")).toBeUndefined();
    });

    it("keeps machines apart", async () => {
      await world.write("m1", await prepare("m1", "k"), "note", "one");
      const second = await prepare("m2", "k");
      expect(await world.read("m2", second, "note")).toBeUndefined();
      expect((await world.store.list()).sort()).toEqual(["m1", "m2"]);
    });

    it("prepares once when asked twice at a time", async () => {
      const paths = await Promise.all([prepare("m1", "k1"), prepare("m1", "k1")]);
      expect(paths[0]).toBe(paths[1]);
    });

    it("refuses an image that is not on this host", async () => {
      await expect(prepare("m1", "k1", `sha256:${"0".repeat(64)}`)).rejects.toMatchObject({
        name: "TerminalError",
        code: "image_not_found",
      });
    });

    it("does not take away what is in use, and does once it is free", async () => {
      const path = await prepare("m1", "k1");
      await world.write("m1", path, "note", "in use");
      const release = await world.use("m1", path);
      const attempts = [() => prepare("m1", "k2"), () => world.store.remove("m1")];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.not.toHaveProperty("name", "TerminalError");
        expect(await world.read("m1", path, "note")).toBe("in use");
      }
      await release();
      const second = await prepare("m1", "k2");
      expect(await world.read("m1", second, "note")).toBeUndefined();
    });

    it("keeps a layer across a reboot of the host", async () => {
      const path = await prepare("m1", "k1");
      await world.write("m1", path, "note", "kept");
      const store = await world.rebooted();
      expect(await store.prepare("m1", "k1", image, never)).toBe(path);
      expect(await world.read("m1", path, "note")).toBe("kept");
    });

    it("removes a machine's layers, and one that has none", async () => {
      await prepare("m1", "k1");
      await world.store.remove("m1");
      await world.store.remove("m1");
      expect(await world.store.list()).toEqual([]);
    });

    it("does nothing under a signal that has fired", async () => {
      const signal = AbortSignal.abort(new Error("gone"));
      await expect(world.store.prepare("m1", "k1", image, signal)).rejects.toThrow("gone");
    });
  });
}
