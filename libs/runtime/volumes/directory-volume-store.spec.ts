import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { DirectoryVolumeStore } from "./directory-volume-store.ts";
import { oddFolder, readFrom, writeTo } from "./volume-folders.fixture.ts";
import { CAPACITY_MIB, MIB, volumeStoreContract } from "./volume-store.contract.ts";

const { signal } = new AbortController();

async function openIn(folder: string, reserveBytes = 0): Promise<DirectoryVolumeStore> {
  const dir = join(folder, "directory");
  const store = new DirectoryVolumeStore({ dir, capacityBytes: CAPACITY_MIB * MIB, reserveBytes });
  await store.open(signal);
  return store;
}

volumeStoreContract("DirectoryVolumeStore", async () => {
  const folder = await oddFolder();
  const store = await openIn(folder);
  return {
    store,
    write: (volumeId, name, content) => writeTo(store, volumeId, name, content),
    read: (volumeId, name) => readFrom(store, volumeId, name),
    settle: async () => {},
    next: () => openIn(folder),
    close: () => rm(folder, { recursive: true }),
  };
});

describe("DirectoryVolumeStore", () => {
  it("says what it cannot, and is not fooled by a promise that the disk has no room for (F25)", async () => {
    const folder = await oddFolder();
    const store = await openIn(folder, Number.MAX_SAFE_INTEGER);
    expect(store.abilities).toEqual({ hardLimit: false, instantSnapshots: false });
    await expect(store.create("vol_1", 32 * MIB, signal)).rejects.toMatchObject({ code: "disk_full" });
    expect(await readdir(join(folder, "directory", "volumes"))).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
