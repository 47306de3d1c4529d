import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { VolumeStore } from "./volume-store.ts";

/** A volume store that may promise `CAPACITY_MIB`, and hands to touch what it holds. */
export interface VolumeWorld {
  readonly store: VolumeStore;
  /** Writes a file as a machine would, to the disk. Rejects when there is no room. */
  write(volumeId: string, name: string, content: string): Promise<void>;
  /** Undefined when there is no such file. */
  read(volumeId: string, name: string): Promise<string | undefined>;
  /** Lets the store's accounts see what was written. */
  settle(): Promise<void>;
  /** The store of the next agent, after the last was killed: `reboot` took what was mounted, too. */
  next(how: "killed" | "reboot"): Promise<VolumeStore>;
  close(): Promise<void>;
}

/** What a world's store may promise, at the least; and no more than this and a tenth. */
export const CAPACITY_MIB = 120;
export const MIB = 1024 * 1024;
/** What a writer hears; Node has no name for EDQUOT, which is 122. */
const NO_ROOM = /quota|space|-122/i;

/** What every volume store does. */
export function volumeStoreContract(name: string, open: () => Promise<VolumeWorld>): void {
  describe(`volume store contract: ${name}`, () => {
    const { signal } = new AbortController();
    let world: VolumeWorld;
    let store: VolumeStore;
    beforeEach(async () => {
      world = await open();
      store = world.store;
    });
    afterEach(() => world.close());

    const create = (volumeId: string, mib: number) => store.create(volumeId, mib * MIB, signal);
    const restore = (volumeId: string, mib: number, snapshotId = "vs_1") =>
      store.restore(snapshotId, volumeId, mib * MIB, signal);
    const fill = (volumeId: string, mib: number, name = "fill") =>
      world.write(volumeId, name, "x".repeat(mib * MIB));
    const terminal = (code: string) => ({ name: "TerminalError", code });

    it("keeps what was written through an agent's death and a reboot", async () => {
      await create("vol_1", 32);
      await world.write("vol_1", "note", "kept");
      const path = store.pathOf("vol_1");
      for (const how of ["killed", "reboot"] as const) {
        store = await world.next(how);
        expect(await world.read("vol_1", "note")).toBe("kept");
        expect(await store.usage("vol_1", signal)).toMatchObject({ totalBytes: 32 * MIB });
        expect([store.pathOf("vol_1"), await store.list(signal)]).toEqual([
          path,
          { volumeIds: ["vol_1"], snapshotIds: [] },
        ]);
      }
    });

    it("makes a volume once, also when asked twice at a time, and removes it once", async () => {
      await Promise.all([create("vol_1", 32), create("vol_1", 32)]);
      await world.write("vol_1", "note", "mine");
      await create("vol_1", 32);
      expect(await world.read("vol_1", "note")).toBe("mine");
      await store.remove("vol_1", signal);
      await store.remove("vol_1", signal);
      expect(await store.list(signal)).toEqual({ volumeIds: [], snapshotIds: [] });
      await create("vol_1", 32);
      expect(await world.read("vol_1", "note")).toBeUndefined();
    });

    it("says how much a volume holds and may hold", async () => {
      await create("vol_1", 32);
      await fill("vol_1", 8);
      await world.settle();
      const { usedBytes, totalBytes } = await store.usage("vol_1", signal);
      expect(totalBytes).toBe(32 * MIB);
      expect(usedBytes).toBeGreaterThanOrEqual(8 * MIB);
      expect(usedBytes).toBeLessThan(9 * MIB);
    });

    it("F34: holds a volume to its size, loses nothing, and lets it go on once it is emptied or extended", async () => {
      await create("vol_1", 32);
      await create("vol_2", 32);
      await world.write("vol_1", "note", "kept");
      if (!store.abilities.hardLimit) return fill("vol_1", 40); // it says so: nothing else holds it
      await expect(fill("vol_1", 40)).rejects.toThrow(NO_ROOM);
      await expect(fill("vol_1", 24, "more")).rejects.toThrow(NO_ROOM);
      expect(await world.read("vol_1", "note")).toBe("kept");
      await fill("vol_2", 24);
      await store.extend("vol_1", 64 * MIB, signal);
      await fill("vol_1", 24, "more");
      await world.write("vol_1", "fill", "");
      await fill("vol_1", 24, "fill");
      expect(await world.read("vol_1", "note")).toBe("kept");
    });

    it("extends, never shrinks", async () => {
      await create("vol_1", 32);
      for (const mib of [64, 16, 64]) await store.extend("vol_1", mib * MIB, signal);
      expect(await store.usage("vol_1", signal)).toMatchObject({ totalBytes: 64 * MIB });
    });

    it("keeps a volume's state in a snapshot and begins others with it, all apart from each other", async () => {
      await create("vol_1", 32);
      await world.write("vol_1", "note", "then");
      const heldBytes = await store.snapshot("vol_1", "vs_1", signal);
      expect(heldBytes).toBeGreaterThan(0);
      await world.write("vol_1", "note", "now");
      expect(await store.snapshot("vol_1", "vs_1", signal)).toBe(heldBytes);
      await restore("vol_2", 64);
      expect(await world.read("vol_2", "note")).toBe("then");
      expect(await store.usage("vol_2", signal)).toMatchObject({ totalBytes: 64 * MIB });
      await world.write("vol_2", "note", "another");
      await restore("vol_2", 64);
      await store.remove("vol_1", signal);
      await restore("vol_3", 32);
      expect([await world.read("vol_2", "note"), await world.read("vol_3", "note")]).toEqual([
        "another",
        "then",
      ]);
      await store.removeSnapshot("vs_1", signal);
      await store.removeSnapshot("vs_1", signal);
      expect(await world.read("vol_3", "note")).toBe("then");
      store = await world.next("reboot");
      expect(await store.list(signal)).toEqual({ volumeIds: ["vol_2", "vol_3"], snapshotIds: [] });
    });

    it("begins a volume with what another holds, which goes on being written, both apart from each other", async () => {
      const fork = (volumeId: string, mib: number) => store.fork("vol_1", volumeId, mib * MIB, signal);
      await create("vol_1", 32);
      await world.write("vol_1", "note", "then");
      await Promise.all([fork("vol_2", 48), fork("vol_2", 48)]);
      await world.write("vol_1", "note", "now");
      await fork("vol_2", 48);
      expect(await world.read("vol_2", "note")).toBe("then");
      expect(await store.usage("vol_2", signal)).toMatchObject({ totalBytes: 48 * MIB });
      await expect(fork("vol_3", CAPACITY_MIB)).rejects.toMatchObject(terminal("disk_full"));
      await store.remove("vol_1", signal);
      await expect(fork("vol_3", 32)).rejects.toMatchObject(terminal("volume_not_found"));
      store = await world.next("reboot");
      expect(await world.read("vol_2", "note")).toBe("then");
      expect(await store.list(signal)).toEqual({ volumeIds: ["vol_2"], snapshotIds: [] });
    });

    it("refuses for good what cannot be", async () => {
      await create("vol_1", 32);
      await fill("vol_1", 8);
      await store.snapshot("vol_1", "vs_1", signal);
      await expect(restore("vol_2", 4)).rejects.toMatchObject(terminal("invalid"));
      await expect(store.fork("vol_1", "vol_2", 4 * MIB, signal)).rejects.toMatchObject(terminal("invalid"));
      await expect(restore("vol_2", 32, "vs_9")).rejects.toMatchObject(terminal("snapshot_not_found"));
      const missing = [
        () => store.extend("vol_9", 64 * MIB, signal),
        () => store.usage("vol_9", signal),
        () => store.snapshot("vol_9", "vs_9", signal),
      ];
      for (const call of missing) await expect(call()).rejects.toMatchObject(terminal("volume_not_found"));
      for (const id of ["..", "a/b", "", "-r"])
        await expect((async () => create(id, 32))()).rejects.toMatchObject(terminal("invalid"));
      expect(await store.list(signal)).toEqual({ volumeIds: ["vol_1"], snapshotIds: ["vs_1"] });
    });

    it("F34: promises no more than it has, leaves nothing of what it refused, and recovers", async () => {
      await create("vol_1", CAPACITY_MIB / 2);
      const tooMuch = [
        () => create("vol_2", CAPACITY_MIB),
        () => store.extend("vol_1", 2 * CAPACITY_MIB * MIB, signal),
      ];
      for (const call of tooMuch) await expect(call()).rejects.toMatchObject(terminal("disk_full"));
      expect(await store.usage("vol_1", signal)).toMatchObject({ totalBytes: (CAPACITY_MIB / 2) * MIB });
      expect(await store.list(signal)).toEqual({ volumeIds: ["vol_1"], snapshotIds: [] });
      await store.remove("vol_1", signal);
      await create("vol_2", (CAPACITY_MIB * 3) / 4);
    });

    it("F34: counts what snapshots hold, and passes its check in a full store", async () => {
      await create("vol_1", CAPACITY_MIB / 2);
      await fill("vol_1", CAPACITY_MIB / 3);
      await store.snapshot("vol_1", "vs_1", signal);
      await expect(create("vol_2", CAPACITY_MIB / 3)).rejects.toMatchObject(terminal("disk_full"));
      await fill("vol_1", CAPACITY_MIB / 3);
      await expect(store.snapshot("vol_1", "vs_2", signal)).rejects.toMatchObject(terminal("disk_full"));
      await store.check(signal);
      expect(await store.list(signal)).toEqual({ volumeIds: ["vol_1"], snapshotIds: ["vs_1"] });
      await store.removeSnapshot("vs_1", signal);
      await create("vol_2", CAPACITY_MIB / 3);
      await fill("vol_2", CAPACITY_MIB / 4);
    });

    it("passes its check, which leaves nothing", async () => {
      await store.check(signal);
      await store.check(signal);
      expect(await store.list(signal)).toEqual({ volumeIds: [], snapshotIds: [] });
      expect(store.capacityBytes()).toBeGreaterThanOrEqual(CAPACITY_MIB * MIB);
      expect(store.capacityBytes()).toBeLessThan(CAPACITY_MIB * 1.1 * MIB);
    });

    it("does nothing under a signal that has fired", async () => {
      const fired = AbortSignal.abort(new Error("gone"));
      await expect(store.create("vol_1", 32 * MIB, fired)).rejects.toThrow();
      expect((await store.list(signal)).volumeIds).toEqual([]);
    });
  });
}
