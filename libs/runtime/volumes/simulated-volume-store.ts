import { demandRoom, demandSize, folderNameOf, snapshotNotFound, volumeNotFound } from "./volume-ids.ts";
import { type StoredVolumes, VolumeStore, type VolumeUsage } from "./volume-store.ts";

/** Contents of files by their names. */
export type SimulatedFiles = ReadonlyMap<string, string>;

/** A disk in memory, which outlives the agent and its store. */
export class SimulatedPool {
  readonly capacityBytes: number;
  readonly volumes = new Map<string, { sizeBytes: number; files: Map<string, string> }>();
  readonly snapshots = new Map<string, SimulatedFiles>();
  /** While true, no call to the disk ends, but by its signal. */
  hangs = false;
  /** What every call to the disk fails with. */
  fails: string | undefined;

  constructor(capacityBytes = 64 * 1024 ** 3) {
    this.capacityBytes = capacityBytes;
  }

  /** Writes a file as a process of the machine would: as much of it as fits, and throws where that is not all. */
  write(volumeId: string, name: string, content: string): void {
    const volume = this.volumes.get(volumeId);
    if (volume === undefined) throw volumeNotFound(volumeId);
    const others = bytesOf(volume.files) - (volume.files.get(name)?.length ?? 0);
    const room = volume.sizeBytes - others;
    volume.files.set(name, content.slice(0, room));
    if (content.length > room) throw new Error("EDQUOT: quota exceeded");
  }

  /** Bytes that nothing was promised of. */
  get freeBytes(): number {
    const promised = [...this.volumes.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const held = [...this.snapshots.values()].reduce((sum, files) => sum + bytesOf(files), 0);
    return this.capacityBytes - promised - held;
  }
}

/** Volumes in memory. Two stores on one pool are one before and after a restart. */
export class SimulatedVolumeStore extends VolumeStore {
  override readonly kind = "btrfs";
  override readonly abilities = { hardLimit: true, instantSnapshots: true };
  readonly pool: SimulatedPool;

  constructor(pool = new SimulatedPool()) {
    super();
    this.pool = pool;
  }

  override async create(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    await this.#disk(signal);
    this.#lay(volumeId, sizeBytes, new Map());
  }

  override async extend(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    await this.#disk(signal);
    const volume = this.#volume(volumeId);
    if (volume.sizeBytes >= sizeBytes) return;
    demandRoom(sizeBytes - volume.sizeBytes, this.pool.freeBytes, `extend volume ${volumeId}`);
    volume.sizeBytes = sizeBytes;
  }

  override async remove(volumeId: string, signal: AbortSignal): Promise<void> {
    await this.#disk(signal);
    this.pool.volumes.delete(volumeId);
  }

  override async snapshot(volumeId: string, snapshotId: string, signal: AbortSignal): Promise<number> {
    await this.#disk(signal);
    const { snapshots, freeBytes } = this.pool;
    if (!snapshots.has(snapshotId)) {
      const { files } = this.#volume(volumeId);
      demandRoom(bytesOf(files), freeBytes, `keep a snapshot of volume ${volumeId}`);
      snapshots.set(folderNameOf(snapshotId), new Map(files));
    }
    return bytesOf(snapshots.get(snapshotId)!);
  }

  override async restore(
    snapshotId: string,
    volumeId: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#disk(signal);
    const files = this.pool.snapshots.get(snapshotId);
    if (files === undefined) throw snapshotNotFound(snapshotId);
    demandSize(sizeBytes, bytesOf(files), snapshotId);
    this.#lay(volumeId, sizeBytes, new Map(files));
  }

  override async fork(
    sourceId: string,
    volumeId: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#disk(signal);
    const { files } = this.#volume(sourceId);
    demandSize(sizeBytes, bytesOf(files), sourceId);
    this.#lay(volumeId, sizeBytes, new Map(files));
  }

  override async removeSnapshot(snapshotId: string, signal: AbortSignal): Promise<void> {
    await this.#disk(signal);
    this.pool.snapshots.delete(snapshotId);
  }

  override async usage(volumeId: string, signal: AbortSignal): Promise<VolumeUsage> {
    await this.#disk(signal);
    const { files, sizeBytes } = this.#volume(volumeId);
    return { usedBytes: bytesOf(files), totalBytes: sizeBytes };
  }

  override async list(signal: AbortSignal): Promise<StoredVolumes> {
    await this.#disk(signal);
    const { volumes, snapshots } = this.pool;
    return { volumeIds: [...volumes.keys()].sort(), snapshotIds: [...snapshots.keys()].sort() };
  }

  override capacityBytes(): number {
    return this.pool.capacityBytes;
  }

  override pathOf(volumeId: string): string {
    return `/simulated/volumes/${folderNameOf(volumeId)}`;
  }

  override async check(signal: AbortSignal): Promise<void> {
    await this.#disk(signal);
  }

  #lay(volumeId: string, sizeBytes: number, files: Map<string, string>): void {
    if (this.pool.volumes.has(volumeId)) return;
    demandRoom(sizeBytes, this.pool.freeBytes, `make volume ${volumeId}`);
    this.pool.volumes.set(folderNameOf(volumeId), { sizeBytes, files });
  }

  #volume(volumeId: string): { sizeBytes: number; files: Map<string, string> } {
    const volume = this.pool.volumes.get(volumeId);
    if (volume === undefined) throw volumeNotFound(volumeId);
    return volume;
  }

  /** The disk's answer: none while it hangs. */
  async #disk(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.pool.fails !== undefined) throw new Error(this.pool.fails);
    if (!this.pool.hangs) return;
    await new Promise((_, fail) => {
      signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    });
  }
}

function bytesOf(files: SimulatedFiles): number {
  return [...files.values()].reduce((sum, content) => sum + content.length, 0);
}
