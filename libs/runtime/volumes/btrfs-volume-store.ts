import { join } from "node:path";
import { OneAtATime } from "../one-at-a-time.ts";
import type { QuotaGroup } from "./btrfs.ts";
import { checkConformance, isScratch } from "./conformance.ts";
import type { LoopPool } from "./loop-pool.ts";
import { demandRoom, demandSize, folderNameOf, snapshotNotFound, volumeNotFound } from "./volume-ids.ts";
import { type StoredVolumes, VolumeStore, type VolumeUsage } from "./volume-store.ts";

const VOLUMES = "volumes";
const SNAPSHOTS = "snapshots";
const DRAFTS = "drafts";
/** How long a removal waits for its room to come back: what takes longer is given back behind it. */
const CLEARING_MS = 10_000;

/**
 * Volumes as btrfs subvolumes, each with a quota that it cannot pass; snapshots take no time and share what is the same.
 * What btrfs itself shows is all there is to know: no record beside it can disagree.
 *
 *     volumes/<volume id>      made under drafts/, limited, then moved here: what is here is whole
 *     snapshots/<snapshot id>  read-only
 */
export class BtrfsVolumeStore extends VolumeStore {
  override readonly kind = "btrfs";
  override readonly abilities = { hardLimit: true, instantSnapshots: true };
  readonly #pool: LoopPool;
  /** What was promised is counted before more is: one at a time. */
  readonly #turns = new OneAtATime();

  constructor(pool: LoopPool) {
    super();
    this.#pool = pool;
  }

  /** Brings the pool up and deletes what an agent's death left half made. Idempotent. */
  open(signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      await this.#pool.open(signal);
      await this.#btrfs.makeFolders([VOLUMES, SNAPSHOTS, DRAFTS], signal);
      for (const { path } of await this.#groups(signal))
        if (path.startsWith(`${DRAFTS}/`)) await this.#btrfs.deleteSubvolume(path, signal);
    });
  }

  override create(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () =>
      this.#lay(volumeId, sizeBytes, await this.#groups(signal), signal, (draft) =>
        this.#btrfs.createSubvolume(draft, signal),
      ),
    );
  }

  override extend(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const groups = await this.#groups(signal);
      const { path, limitBytes = 0 } = this.#volumeIn(groups, volumeId);
      if (limitBytes >= sizeBytes) return;
      await this.#demand(sizeBytes - limitBytes, groups, `extend volume ${volumeId}`, signal);
      await this.#btrfs.limit(path, sizeBytes, signal);
      await this.#btrfs.sync(signal);
    });
  }

  override remove(volumeId: string, signal: AbortSignal): Promise<void> {
    return this.#delete(volumePath(volumeId), signal);
  }

  override snapshot(volumeId: string, snapshotId: string, signal: AbortSignal): Promise<number> {
    return this.#inTurn(signal, async () => {
      const groups = await this.#groups(signal);
      const copy = snapshotPath(snapshotId);
      const before = find(groups, copy);
      if (before !== undefined) return before.heldBytes;
      const volume = this.#volumeIn(groups, volumeId);
      // What is the volume's own today, the snapshot will hold when the volume holds other things.
      const purpose = `keep a snapshot of volume ${volumeId}`;
      if (!isScratch(volumeId)) await this.#demand(volume.ownBytes, groups, purpose, signal);
      await this.#btrfs.snapshot(volume.path, copy, ["-r"], signal);
      return find(await this.#groups(signal), copy)?.heldBytes ?? volume.heldBytes;
    });
  }

  override restore(
    snapshotId: string,
    volumeId: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#inTurn(signal, async () => {
      const groups = await this.#groups(signal);
      const snapshot = find(groups, snapshotPath(snapshotId));
      if (snapshot === undefined) throw snapshotNotFound(snapshotId);
      demandSize(sizeBytes, snapshot.heldBytes, snapshotId);
      await this.#lay(volumeId, sizeBytes, groups, signal, (draft) =>
        this.#btrfs.snapshot(snapshot.path, draft, [], signal),
      );
    });
  }

  override fork(sourceId: string, volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const groups = await this.#groups(signal);
      const source = this.#volumeIn(groups, sourceId);
      demandSize(sizeBytes, source.heldBytes, sourceId);
      await this.#lay(volumeId, sizeBytes, groups, signal, (draft) =>
        this.#btrfs.snapshot(source.path, draft, [], signal),
      );
    });
  }

  override removeSnapshot(snapshotId: string, signal: AbortSignal): Promise<void> {
    return this.#delete(snapshotPath(snapshotId), signal);
  }

  override async usage(volumeId: string, signal: AbortSignal): Promise<VolumeUsage> {
    const { heldBytes, limitBytes } = this.#volumeIn(await this.#btrfs.groups(false, signal), volumeId);
    return { usedBytes: heldBytes, totalBytes: limitBytes ?? 0 };
  }

  override async list(signal: AbortSignal): Promise<StoredVolumes> {
    const groups = await this.#btrfs.groups(false, signal);
    const idsIn = (folder: string) => groups.flatMap(({ path }) => idIn(folder, path) ?? []).sort();
    return { volumeIds: idsIn(VOLUMES), snapshotIds: idsIn(SNAPSHOTS) };
  }

  override capacityBytes(): number {
    return this.#pool.capacityBytes;
  }

  override pathOf(volumeId: string): string {
    return join(this.#pool.mountPoint, volumePath(volumeId));
  }

  override async check(signal: AbortSignal): Promise<void> {
    await this.open(signal);
    await checkConformance(this, signal);
  }

  get #btrfs() {
    return this.#pool.filesystem;
  }

  #inTurn<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    return this.#turns.take("pool", async () => {
      signal.throwIfAborted();
      return task();
    });
  }

  async #lay(
    volumeId: string,
    sizeBytes: number,
    groups: readonly QuotaGroup[],
    signal: AbortSignal,
    make: (draft: string) => Promise<void>,
  ): Promise<void> {
    const path = volumePath(volumeId);
    const draft = `${DRAFTS}/${volumeId}`;
    if (find(groups, path) !== undefined) return;
    if (!isScratch(volumeId)) await this.#demand(sizeBytes, groups, `make volume ${volumeId}`, signal);
    if (find(groups, draft) !== undefined) await this.#btrfs.deleteSubvolume(draft, signal);
    await make(draft);
    await this.#btrfs.limit(draft, sizeBytes, signal);
    await this.#btrfs.rename(draft, path, signal);
    await this.#btrfs.sync(signal);
  }

  #delete(path: string, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const groups = await this.#btrfs.groups(false, signal);
      if (find(groups, path) === undefined) return;
      await this.#btrfs.deleteSubvolume(path, signal);
      await this.#btrfs.cleared(AbortSignal.any([signal, AbortSignal.timeout(CLEARING_MS)])).catch(() => {});
      signal.throwIfAborted();
    });
  }

  /** Sees to it that the pool has room for `bytes` more than it has promised and holds (I8). */
  async #demand(
    bytes: number,
    groups: readonly QuotaGroup[],
    purpose: string,
    signal: AbortSignal,
  ): Promise<void> {
    const volumes = groups.filter(({ path }) => idIn(VOLUMES, path) !== undefined);
    const promised = volumes.reduce((sum, { limitBytes = 0 }) => sum + limitBytes, 0);
    const own = volumes.reduce((sum, { ownBytes }) => sum + ownBytes, 0);
    // What no volume alone holds: it stays however volumes change, until snapshots are removed.
    const kept = Math.max(0, (await this.#btrfs.usedBytes(signal)) - own);
    demandRoom(bytes, this.capacityBytes() - promised - kept, purpose);
    await this.#pool.growFor(promised + kept + bytes, purpose, signal);
  }

  #groups(signal: AbortSignal): Promise<QuotaGroup[]> {
    return this.#btrfs.groups(true, signal);
  }

  #volumeIn(groups: readonly QuotaGroup[], volumeId: string): QuotaGroup {
    const group = find(groups, volumePath(volumeId));
    if (group === undefined) throw volumeNotFound(volumeId);
    return group;
  }
}

function volumePath(volumeId: string): string {
  return `${VOLUMES}/${folderNameOf(volumeId)}`;
}

function snapshotPath(snapshotId: string): string {
  return `${SNAPSHOTS}/${folderNameOf(snapshotId)}`;
}

/** The volume or snapshot of that path, unless it is of another folder, or belongs to the conformance check. */
function idIn(folder: string, path: string): string | undefined {
  const id = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
  return id === undefined || isScratch(id) ? undefined : id;
}

function find(groups: readonly QuotaGroup[], path: string): QuotaGroup | undefined {
  return groups.find((group) => group.path === path);
}
