import { mkdir, mkdtemp, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runCommand } from "../command.ts";
import { ifMissing, listFolder, readText, writeWhole } from "../files.ts";
import { DiskRoom } from "../images/disk-room.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { removeTree } from "../remove-tree.ts";
import { checkConformance, isScratch } from "./conformance.ts";
import { demandFormat } from "./store-format.ts";
import { demandRoom, demandSize, folderNameOf, snapshotNotFound, volumeNotFound } from "./volume-ids.ts";
import { type StoredVolumes, VolumeStore, type VolumeUsage } from "./volume-store.ts";

export interface DirectoryVolumeStoreSettings {
  /** Absolute folder of its own. */
  readonly dir: string;
  /** What all volumes and snapshots may have together. */
  readonly capacityBytes: number;
  /** Kept free on the disk for others (F34). */
  readonly reserveBytes: number;
}

/** What takes long: it depends on how much a volume holds. */
const COPY_TIMEOUT_MS = 600_000;
const TRASH = ".trash";

/**
 * Volumes as plain folders, for hosts that cannot have better. A size is what was promised, and nothing holds a volume to
 * it; a snapshot is a copy, which takes as long and as much room as its volume, and mixes instants when somebody writes
 * meanwhile. Where the filesystem can share blocks between files, copies do.
 *
 *     volumes/<volume id>/{data/, size}   snapshots/<snapshot id>/{data/, size}
 *     format                              of all this
 *     .trash/                             what is being made and what is being deleted; swept at each check
 */
export class DirectoryVolumeStore extends VolumeStore {
  override readonly kind = "directory";
  override readonly abilities = { hardLimit: false, instantSnapshots: false };
  readonly #settings: DirectoryVolumeStoreSettings;
  readonly #room: DiskRoom;
  /** What was promised is counted before more is: one at a time. */
  readonly #turns = new OneAtATime();

  constructor(settings: DirectoryVolumeStoreSettings) {
    super();
    this.#settings = settings;
    this.#room = new DiskRoom(settings.dir, settings.reserveBytes);
  }

  /** Makes its folders and deletes what an agent's death left half made. Idempotent. */
  open(signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const { dir } = this.#settings;
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await demandFormat(dir);
      await removeTree(join(dir, TRASH), signal);
      for (const name of ["volumes", "snapshots", TRASH])
        await mkdir(join(dir, name), { recursive: true, mode: 0o700 });
    });
  }

  override create(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, () => this.#lay(volumeId, sizeBytes, undefined, signal));
  }

  override extend(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const volume = this.#volume(volumeId);
      const before = await sizeOf(volume);
      if (before === undefined) throw volumeNotFound(volumeId);
      if (before >= sizeBytes) return;
      await this.#demand(sizeBytes - before, `extend volume ${volumeId}`);
      await writeWhole(join(volume, "size"), String(sizeBytes));
      await toDisk([join(volume, "size"), volume], signal);
    });
  }

  override remove(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, () => this.#discard(this.#volume(volumeId), signal));
  }

  override snapshot(volumeId: string, snapshotId: string, signal: AbortSignal): Promise<number> {
    return this.#inTurn(signal, async () => {
      const snapshot = this.#snapshot(snapshotId);
      const before = await sizeOf(snapshot);
      if (before !== undefined) return before;
      const volume = this.#volume(volumeId);
      if ((await sizeOf(volume)) === undefined) throw volumeNotFound(volumeId);
      const heldBytes = await bytesIn(volume, signal);
      if (!isScratch(volumeId)) await this.#demand(heldBytes, `keep a snapshot of volume ${volumeId}`);
      await this.#make(snapshot, heldBytes, join(volume, "data"), signal);
      return heldBytes;
    });
  }

  override restore(
    snapshotId: string,
    volumeId: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#inTurn(signal, async () => {
      const snapshot = this.#snapshot(snapshotId);
      const heldBytes = await sizeOf(snapshot);
      if (heldBytes === undefined) throw snapshotNotFound(snapshotId);
      demandSize(sizeBytes, heldBytes, snapshotId);
      await this.#lay(volumeId, sizeBytes, join(snapshot, "data"), signal);
    });
  }

  override fork(sourceId: string, volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const source = this.#volume(sourceId);
      if ((await sizeOf(source)) === undefined) throw volumeNotFound(sourceId);
      demandSize(sizeBytes, await bytesIn(source, signal), sourceId);
      await this.#lay(volumeId, sizeBytes, join(source, "data"), signal);
    });
  }

  override removeSnapshot(snapshotId: string, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, () => this.#discard(this.#snapshot(snapshotId), signal));
  }

  override async usage(volumeId: string, signal: AbortSignal): Promise<VolumeUsage> {
    const volume = this.#volume(volumeId);
    const totalBytes = await sizeOf(volume);
    if (totalBytes === undefined) throw volumeNotFound(volumeId);
    return { usedBytes: await bytesIn(volume, signal), totalBytes };
  }

  override async list(signal: AbortSignal): Promise<StoredVolumes> {
    signal.throwIfAborted();
    const idsIn = async (folder: string) =>
      (await listFolder(join(this.#settings.dir, folder))).filter((id) => !isScratch(id)).sort();
    return { volumeIds: await idsIn("volumes"), snapshotIds: await idsIn("snapshots") };
  }

  override capacityBytes(): number {
    return this.#settings.capacityBytes;
  }

  override pathOf(volumeId: string): string {
    return join(this.#volume(volumeId), "data");
  }

  override async check(signal: AbortSignal): Promise<void> {
    await this.open(signal);
    await checkConformance(this, signal);
  }

  #inTurn<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    return this.#turns.take("store", async () => {
      signal.throwIfAborted();
      return task();
    });
  }

  async #lay(
    volumeId: string,
    sizeBytes: number,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const volume = this.#volume(volumeId);
    if ((await sizeOf(volume)) !== undefined) return;
    if (!isScratch(volumeId)) await this.#demand(sizeBytes, `make volume ${volumeId}`);
    await this.#make(volume, sizeBytes, from, signal);
  }

  /** It appears whole, by one rename. */
  async #make(folder: string, size: number, from: string | undefined, signal: AbortSignal): Promise<void> {
    const draft = await mkdtemp(join(this.#settings.dir, TRASH, "new-"));
    const data = join(draft, "data");
    if (from === undefined) await mkdir(data, { mode: 0o755 });
    else await copyTree(from, data, signal);
    await writeFile(join(draft, "size"), String(size));
    await toDisk([join(draft, "size"), data, draft], signal);
    await rename(draft, folder);
    await toDisk([dirname(folder)], signal);
  }

  async #discard(folder: string, signal: AbortSignal): Promise<void> {
    if ((await stat(folder).catch(ifMissing(undefined))) === undefined) return;
    const doomed = await mkdtemp(join(this.#settings.dir, TRASH, "old-"));
    await rename(folder, join(doomed, "it"));
    await toDisk([dirname(folder), doomed], signal);
    await removeTree(doomed, signal);
  }

  /** Sees to it that no more is promised than there is to promise, nor than the disk has now (I8). */
  async #demand(bytes: number, purpose: string): Promise<void> {
    const { dir, capacityBytes } = this.#settings;
    let promised = 0;
    for (const folder of ["volumes", "snapshots"])
      for (const id of await listFolder(join(dir, folder)))
        promised += (await sizeOf(join(dir, folder, id))) ?? 0;
    demandRoom(bytes, capacityBytes - promised, purpose);
    await this.#room.demand(bytes, purpose);
  }

  #volume(volumeId: string): string {
    return join(this.#settings.dir, "volumes", folderNameOf(volumeId));
  }

  #snapshot(snapshotId: string): string {
    return join(this.#settings.dir, "snapshots", folderNameOf(snapshotId));
  }
}

/** A volume's size, or how much a snapshot holds; undefined when it is not there. */
async function sizeOf(folder: string): Promise<number | undefined> {
  const text = await readText(join(folder, "size"));
  return text === undefined ? undefined : Number(text);
}

async function bytesIn(folder: string, signal: AbortSignal): Promise<number> {
  const argv = ["du", "--summarize", "--one-file-system", "--block-size=1", "--", join(folder, "data")];
  return Number.parseInt((await runCommand(argv, { signal })).stdout, 10);
}

/** Resolves once the copy is on the disk. Nobody knows which of its files are: the whole filesystem is synced. */
async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const argv = ["cp", "--archive", "--reflink=auto", "--no-target-directory", "--", from, to];
  await runCommand(argv, { timeoutMs: COPY_TIMEOUT_MS, signal });
  await runCommand(["sync", "--file-system", "--", to], { timeoutMs: COPY_TIMEOUT_MS, signal });
}

/** Resolves once these files and folders are on the disk. */
async function toDisk(paths: readonly string[], signal: AbortSignal): Promise<void> {
  await runCommand(["sync", "--", ...paths], { signal });
}
