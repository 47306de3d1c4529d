import { mkdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#kernel";
import { ifMissing, listFolder } from "../files.ts";
import { unmountUnder } from "../rootfs/mounts.ts";
import { BtrfsVolumeStore } from "./btrfs-volume-store.ts";
import { DirectoryVolumeStore } from "./directory-volume-store.ts";
import { GuardedVolumeStore } from "./guarded-volume-store.ts";
import { LoopPool, poolFileIn } from "./loop-pool.ts";
import { refusedFormat } from "./store-format.ts";
import type { VolumeStore } from "./volume-store.ts";

export interface VolumeStoreSettings {
  /** Absolute folder of its own. */
  readonly dir: string;
  /** The pool's name, which tells whose it is; at most 255 characters. */
  readonly label: string;
  readonly clock: Clock;
  /** The most that the pool may take of the disk; unless told, 40 % of what is free, and 64 GiB at the most. */
  readonly poolBytes?: number;
  /** Kept free on the disk for others (F34). */
  readonly reserveBytes: number;
}

export interface OpenedVolumeStore {
  readonly store: GuardedVolumeStore;
  /** Why the host has not the best kind of store, for its operator. */
  readonly warning?: string;
}

const FREE_SHARE = 0.4;
const LARGEST_BYTES = 64 * 1024 ** 3;
const TRIAL_MS = 30_000;

/**
 * The store of a host's volumes: btrfs where it works, else plain folders. What once held volumes is opened again, and
 * nothing else, whatever works today: a host with two stores would have lost what is in the other.
 */
export async function openVolumeStore(settings: VolumeStoreSettings): Promise<OpenedVolumeStore> {
  const { dir, clock } = settings;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = poolFileIn(dir);
  const folder = join(dir, "directory");
  const pooled = await stat(file).catch(ifMissing(undefined));
  const poolBytes = settings.poolBytes ?? (await defaultPoolBytes(dir, pooled?.size ?? 0));
  const btrfs = new BtrfsVolumeStore(new LoopPool({ ...settings, maxBytes: poolBytes }));
  // One that is there is brought up, which writes to the disk; a new one has to show all that it can.
  const guardNew = (store: VolumeStore) => GuardedVolumeStore.open({ store, clock });
  const guardKnown = (store: BtrfsVolumeStore | DirectoryVolumeStore) =>
    GuardedVolumeStore.open({ store, clock, begin: (inTime) => store.open(inTime) });
  const isForeign = (await refusedFormat(dir)) !== undefined;
  if (pooled !== undefined || isForeign) return { store: await guardKnown(btrfs) };
  const plain = new DirectoryVolumeStore({ ...settings, dir: folder, capacityBytes: poolBytes });
  if (await holdsAny(folder))
    return { store: await guardKnown(plain), warning: `this host's volumes are plain folders, in ${folder}` };
  try {
    await btrfs.open(AbortSignal.timeout(TRIAL_MS));
    return { store: await guardNew(btrfs) };
  } catch (error) {
    await unmountUnder(dir);
    await rm(file, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    if (poolBytes === 0) return { store: await guardNew(plain) };
    const warning = `volumes are plain folders, which no size limits, for btrfs does not work here: ${why}`;
    return { store: await guardNew(plain), warning };
  }
}

/** Snapshots outlive their volumes, also those in plain folders. */
async function holdsAny(folder: string): Promise<boolean> {
  const held = await Promise.all(["volumes", "snapshots"].map((name) => listFolder(join(folder, name))));
  return held.flat().length > 0;
}

/** Of what is free, and what the pool has already, a share. */
async function defaultPoolBytes(dir: string, pooledBytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return Math.min(LARGEST_BYTES, Math.floor((bavail * bsize + pooledBytes) * FREE_SHARE));
}
