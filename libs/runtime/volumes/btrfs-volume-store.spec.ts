import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { runCommand } from "../command.ts";
import type { FaultPoint } from "../fault-point.ts";
import { unmountUnder } from "../rootfs/mounts.ts";
import { BtrfsVolumeStore } from "./btrfs-volume-store.ts";
import { LoopPool, poolFileIn } from "./loop-pool.ts";
import { oddFolder, readFrom, writeTo } from "./volume-folders.fixture.ts";
import { MIB, volumeStoreContract } from "./volume-store.contract.ts";

const { signal } = new AbortController();
/** Room for 120 MiB beside what the filesystem takes. */
const MAX_BYTES = 390 * MIB;
/** By default an agent is killed after every third command, others each time; after each when asked. */
const EVERY = process.env.DROVER_FULL === "1" ? 1 : 3;

async function openIn(
  dir: string,
  more: { readonly faultPoint?: FaultPoint; readonly reserveBytes?: number } = {},
): Promise<BtrfsVolumeStore> {
  const pool = new LoopPool({ dir, label: "drover-spec", maxBytes: MAX_BYTES, reserveBytes: 0, ...more });
  const store = new BtrfsVolumeStore(pool);
  await store.open(signal);
  return store;
}

async function close(dir: string): Promise<void> {
  await unmountUnder(dir);
  await rm(dir, { recursive: true });
}

volumeStoreContract("BtrfsVolumeStore", async () => {
  const dir = await oddFolder();
  const store = await openIn(dir);
  return {
    store,
    write: (volumeId, name, content) => writeTo(store, volumeId, name, content),
    read: (volumeId, name) => readFrom(store, volumeId, name),
    settle: async () => {
      await runCommand(["btrfs", "filesystem", "sync", join(dir, "pool")]);
    },
    async next(how) {
      if (how === "reboot") await unmountUnder(dir);
      return openIn(dir);
    },
    close: () => close(dir),
  };
});

describe("BtrfsVolumeStore", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await oddFolder();
  });
  afterEach(() => close(dir));

  it("has the blocks of all that it promises before it does, and no more of the disk (I8, F34)", async () => {
    const store = await openIn(dir);
    const takenBytes = async () => (await stat(poolFileIn(dir))).blocks * 512;
    expect(await takenBytes()).toBeLessThan(300 * MIB);
    await store.create("vol_1", 60 * MIB, signal);
    expect(await takenBytes()).toBeGreaterThan(320 * MIB);
    const careful = await openIn(dir, { reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(careful.create("vol_2", 60 * MIB, signal)).rejects.toMatchObject({ code: "disk_full" });
    await store.create("vol_2", 60 * MIB, signal);
  });

  it("holds a volume of many small files to its size, too, and can be emptied", async () => {
    const store = await openIn(dir);
    await store.create("vol_1", 8 * MIB, signal);
    const script = 'i=0; while printf %01500d 0 > "$i"; do i=$((i+1)); done 2>/dev/null; echo $i';
    const { stdout } = await runCommand(["sh", "-c", script], { cwd: store.pathOf("vol_1") });
    expect(Number(stdout)).toBeGreaterThan(1_000);
    await runCommand(["btrfs", "filesystem", "sync", join(dir, "pool")]);
    expect((await store.usage("vol_1", signal)).usedBytes).toBeLessThanOrEqual(8 * MIB);
    await runCommand(["find", store.pathOf("vol_1"), "-type", "f", "-delete"]);
    await writeTo(store, "vol_1", "note", "x".repeat(4 * MIB));
  });

  it("F22: an agent killed between any two commands leaves what the next one goes on from", async () => {
    const calls: readonly ((store: BtrfsVolumeStore) => Promise<unknown>)[] = [
      (store) => store.open(signal),
      (store) => store.create("vol_1", 32 * MIB, signal),
      (store) => store.extend("vol_1", 48 * MIB, signal),
      (store) => store.snapshot("vol_1", "vs_1", signal),
      (store) => store.restore("vs_1", "vol_2", 32 * MIB, signal),
      (store) => store.removeSnapshot("vs_1", signal),
      (store) => store.remove("vol_1", signal),
    ];
    let crashes = 0;
    for (const call of calls) {
      for (let n = 1 + (process.pid % EVERY), crashed = true; crashed; n += EVERY) {
        let left = Number.POSITIVE_INFINITY;
        const killed = () => {
          left -= 1;
          if (left === 0) throw new Error("killed");
        };
        const store = await openIn(dir, { faultPoint: killed });
        left = n;
        crashed = await call(store).then(
          () => false,
          () => true,
        );
        if (crashed) crashes += 1;
      }
      await call(await openIn(dir));
    }
    expect(crashes).toBeGreaterThan(20 / EVERY);
    const store = await openIn(dir);
    expect(await store.list(signal)).toEqual({ volumeIds: ["vol_2"], snapshotIds: [] });
    expect((await store.usage("vol_2", signal)).totalBytes).toBe(32 * MIB);
    const { stdout } = await runCommand(["btrfs", "subvolume", "list", join(dir, "pool")]);
    expect(stdout.trim().split("\n")).toHaveLength(1);
  }, 120_000);
});
