/** What a store is made of: the `fstype` of the volumes in it. */
export type VolumeStoreKind = "btrfs" | "directory";

/** What a store can do and another cannot. */
export interface VolumeAbilities {
  /** A volume cannot hold more than its size. Without it, one volume may take the room of all. */
  readonly hardLimit: boolean;
  /** A snapshot is the state of one instant, whoever is writing. Without it, writers should be stopped first. */
  readonly instantSnapshots: boolean;
}

export interface VolumeUsage {
  readonly usedBytes: number;
  /** The volume's size. */
  readonly totalBytes: number;
}

/** All that a store holds, for finding what no log knows of. */
export interface StoredVolumes {
  readonly volumeIds: readonly string[];
  readonly snapshotIds: readonly string[];
}

/**
 * The volumes of one host: folders that outlive machines, agents and reboots. What a call reports as done survives a
 * power failure. All calls are idempotent by the id of what they make or remove, and end by their signal.
 *
 * A store promises no more than it has (I8): whatever it holds, each volume can be filled to its size. What snapshots
 * hold counts, too. Calls that would break that reject with `TerminalError("disk_full")` and leave nothing behind; they
 * succeed once something is removed. Others are `TerminalError` "volume_not_found", "snapshot_not_found" or "invalid".
 * Any other error is worth another attempt.
 */
export abstract class VolumeStore {
  abstract readonly kind: VolumeStoreKind;
  abstract readonly abilities: VolumeAbilities;

  /** Makes an empty volume. One that exists is left as it is. */
  abstract create(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void>;

  /** Lets a volume hold `sizeBytes`, while in use, too. A volume that holds as much or more is left as it is. */
  abstract extend(volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void>;

  /** Deletes a volume for good; its snapshots stay. Nothing happens when there is none. */
  abstract remove(volumeId: string, signal: AbortSignal): Promise<void>;

  /** Keeps what a volume holds. Returns how many bytes that is. A snapshot that exists is left as it is. */
  abstract snapshot(volumeId: string, snapshotId: string, signal: AbortSignal): Promise<number>;

  /**
   * Makes a volume that begins with what a snapshot holds, and is no smaller: "invalid" else. One that exists is left as
   * it is.
   */
  abstract restore(
    snapshotId: string,
    volumeId: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<void>;

  /** As `restore`, with what another volume holds now. Both go their own ways from then on. */
  abstract fork(sourceId: string, volumeId: string, sizeBytes: number, signal: AbortSignal): Promise<void>;

  /** Deletes a snapshot; volumes restored from it stay. Nothing happens when there is none. */
  abstract removeSnapshot(snapshotId: string, signal: AbortSignal): Promise<void>;

  abstract usage(volumeId: string, signal: AbortSignal): Promise<VolumeUsage>;

  abstract list(signal: AbortSignal): Promise<StoredVolumes>;

  /** How many bytes its volumes and snapshots may have in all. */
  abstract capacityBytes(): number;

  /** The folder to mount into the machine that the volume is attached to; the same for ever, whether it exists or not. */
  abstract pathOf(volumeId: string): string;

  /**
   * The conformance check (F26): brings the store up if it is not, then does all of the above with a volume of its own
   * and removes that. Resolves when everything did what it must, and in time; throws what did not.
   */
  abstract check(signal: AbortSignal): Promise<void>;
}
