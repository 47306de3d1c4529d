import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SimulatedClock, SystemClock } from "#kernel";
import { runCommand } from "../command.ts";
import { unmountUnder } from "../rootfs/mounts.ts";
import { BtrfsVolumeStore } from "./btrfs-volume-store.ts";
import { GuardedVolumeStore, type StorageSuspicion } from "./guarded-volume-store.ts";
import { LoopPool } from "./loop-pool.ts";
import { SimulatedPool, SimulatedVolumeStore } from "./simulated-volume-store.ts";
import { oddFolder } from "./volume-folders.fixture.ts";
import { CAPACITY_MIB, MIB, volumeStoreContract } from "./volume-store.contract.ts";

const { signal } = new AbortController();

volumeStoreContract("GuardedVolumeStore", async () => {
  const pool = new SimulatedPool(CAPACITY_MIB * MIB);
  const clock = new SystemClock();
  const open = () => GuardedVolumeStore.open({ store: new SimulatedVolumeStore(pool), clock });
  return {
    store: await open(),
    write: async (volumeId, name, content) => pool.write(volumeId, name, content),
    read: async (volumeId, name) => pool.volumes.get(volumeId)?.files.get(name),
    settle: async () => {},
    next: open,
    close: async () => {},
  };
});

describe("GuardedVolumeStore", () => {
  let clock: SimulatedClock;
  let pool: SimulatedPool;
  let guard: GuardedVolumeStore;
  let heard: (StorageSuspicion | undefined)[];
  beforeEach(async () => {
    clock = new SimulatedClock();
    pool = new SimulatedPool();
    guard = await GuardedVolumeStore.open({ store: new SimulatedVolumeStore(pool), clock });
    heard = [];
    guard.onSuspicion((suspicion) => heard.push(suspicion));
  });
  afterEach(() => guard.close());

  it("F26: ends a call that hangs, puts others off, and trusts the store again once it passes its check", async () => {
    pool.hangs = true;
    const hanging = guard.create("vol_1", MIB, signal);
    hanging.catch(() => {});
    await clock.pass(20_000);
    await expect(hanging).rejects.toThrow("not done within 20000 ms");
    expect(guard.suspicion).toEqual({ sinceMs: clock.nowMs(), detail: "create: not done within 20000 ms" });
    await expect(guard.usage("vol_1", signal)).rejects.toMatchObject({
      name: "RetryAfterError",
      code: "storage_suspect",
    });
    await clock.pass(300_000);
    expect(guard.suspicion).toBeDefined();
    pool.hangs = false;
    await clock.pass(120_000);
    expect(guard.suspicion).toBeUndefined();
    expect(heard.map((suspicion) => suspicion?.detail)).toEqual([
      "create: not done within 20000 ms",
      undefined,
    ]);
    await guard.create("vol_1", MIB, signal);
  });

  it("F26: comes up in time with a store that hangs, and suspects it", async () => {
    pool.hangs = true;
    const opening = GuardedVolumeStore.open({ store: new SimulatedVolumeStore(pool), clock });
    await clock.pass(20_000);
    const second = await opening;
    expect(second.suspicion?.detail).toBe("start: not done within 20000 ms");
    second.close();
  });

  it("suspects a store that fails as nothing explains, not one that refuses, nor a caller who gives up", async () => {
    await expect(guard.usage("vol_9", signal)).rejects.toMatchObject({ code: "volume_not_found" });
    pool.hangs = true;
    const caller = new AbortController();
    const call = guard.create("vol_1", MIB, caller.signal);
    caller.abort(new Error("gave up"));
    await expect(call).rejects.toThrow("gave up");
    expect(guard.suspicion).toBeUndefined();
    pool.hangs = false;
    pool.fails = "EIO: i/o error";
    await expect(guard.create("vol_1", MIB, signal)).rejects.toThrow("EIO");
    expect(guard.suspicion?.detail).toBe("create: EIO: i/o error");
    await clock.pass(10_000);
    expect(guard.suspicion?.detail).toBe("create: EIO: i/o error");
    pool.fails = undefined;
    await clock.pass(60_000);
    expect(guard.suspicion).toBeUndefined();
  });

  it("F26: survives a real filesystem that stands still, and no call waits for it", async () => {
    const dir = await oddFolder();
    const store = new BtrfsVolumeStore(
      new LoopPool({ dir, label: "drover-spec", maxBytes: 390 * MIB, reserveBytes: 0 }),
    );
    const real = await GuardedVolumeStore.open({ store, clock: new SystemClock(), timeoutMs: 10_000 });
    const mountPoint = join(dir, "pool");
    try {
      expect(real.suspicion).toBeUndefined();
      await runCommand(["fsfreeze", "--freeze", mountPoint]);
      const recovered = new Promise<void>((resolve) => {
        real.onSuspicion((suspicion) => suspicion === undefined && resolve());
      });
      await expect(real.create("vol_1", 32 * MIB, signal)).rejects.toThrow("not done within");
      await expect(real.create("vol_1", 32 * MIB, signal)).rejects.toMatchObject({ code: "storage_suspect" });
      await runCommand(["fsfreeze", "--unfreeze", mountPoint]);
      await recovered;
      await real.create("vol_1", 32 * MIB, signal);
      expect((await real.list(signal)).volumeIds).toEqual(["vol_1"]);
    } finally {
      real.close();
      await runCommand(["fsfreeze", "--unfreeze", mountPoint]).catch(() => {});
      await unmountUnder(dir);
      await rm(dir, { recursive: true });
    }
  });
});
