import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock } from "#kernel";
import { unmountUnder } from "../rootfs/mounts.ts";
import { poolFileIn } from "./loop-pool.ts";
import { openVolumeStore, type VolumeStoreSettings } from "./open-volume-store.ts";
import { oddFolder } from "./volume-folders.fixture.ts";
import { MIB } from "./volume-store.contract.ts";

const { signal } = new AbortController();

describe("openVolumeStore", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await oddFolder();
  });
  afterEach(async () => {
    await unmountUnder(dir);
    await rm(dir, { recursive: true });
  });

  const open = (more: Partial<VolumeStoreSettings> = {}) =>
    openVolumeStore({
      ...{ dir, label: "drover-spec", clock: new SystemClock(), poolBytes: 1024 * MIB, reserveBytes: 0 },
      ...more,
    });

  it("takes btrfs where it works, and adopts it at the next start", async () => {
    const first = await open();
    expect(first).toMatchObject({ store: { kind: "btrfs", suspicion: undefined } });
    expect(first.warning).toBeUndefined();
    await first.store.create("vol_1", 32 * MIB, signal);
    const { store } = await open();
    expect([store.kind, await store.list(signal)]).toEqual([
      "btrfs",
      { volumeIds: ["vol_1"], snapshotIds: [] },
    ]);
  });

  it("takes plain folders where btrfs does not work, says why, and stays with them", async () => {
    await mkdir(join(dir, "pool"));
    const label = "a name that no filesystem can have, for it is longer than btrfs allows: ".repeat(4);
    const { store, warning } = await open({ label });
    expect([store.kind, warning]).toEqual(["directory", expect.stringContaining("mkfs.btrfs")]);
    await store.create("vol_1", 32 * MIB, signal);
    const again = await open();
    expect([again.store.kind, (await again.store.list(signal)).volumeIds]).toEqual(["directory", ["vol_1"]]);
    await again.store.snapshot("vol_1", "vs_1", signal);
    await again.store.remove("vol_1", signal);
    const kept = await open();
    expect([kept.store.kind, (await kept.store.list(signal)).snapshotIds]).toEqual(["directory", ["vs_1"]]);
    await kept.store.removeSnapshot("vs_1", signal);
    expect((await open()).store.kind).toBe("btrfs");
  });

  it("F26: never takes an empty store in place of a pool that cannot be mounted", async () => {
    await writeFile(poolFileIn(dir), "this is no btrfs");
    const { store } = await open();
    expect([store.kind, store.suspicion?.detail]).toEqual(["btrfs", expect.stringContaining("mount")]);
    store.close();
    expect((await stat(poolFileIn(dir))).size).toBe(16);
  });

  it("F29: touches nothing of a format that it does not know, neither a pool nor what may be in its place", async () => {
    const { store } = await open();
    await store.create("vol_1", 32 * MIB, signal);
    await unmountUnder(dir);
    await writeFile(join(dir, "format"), "2\n");
    const before = (await stat(poolFileIn(dir))).mtimeMs;
    for (const pool of ["there", "elsewhere"]) {
      if (pool === "elsewhere") await rm(poolFileIn(dir));
      const { store: newer } = await open();
      expect(newer.suspicion?.detail).toMatch(/format 2/);
      newer.close();
      expect((await stat(poolFileIn(dir)).catch(() => undefined))?.mtimeMs).toBe(
        pool === "there" ? before : undefined,
      );
    }
  });

  it("F34: comes up where there is no room for a pool, trusted, and keeps no volumes", async () => {
    const { store, warning } = await open({ reserveBytes: Number.MAX_SAFE_INTEGER });
    expect([store.kind, store.suspicion, warning]).toEqual([
      "directory",
      undefined,
      expect.stringContaining("No room to make a pool"),
    ]);
    await expect(store.create("vol_1", 32 * MIB, signal)).rejects.toMatchObject({ code: "disk_full" });
    const none = await open({ poolBytes: 0 });
    expect([none.store.capacityBytes(), none.warning]).toEqual([0, undefined]);
  });
});
