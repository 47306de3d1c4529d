/**
 * The writable root filesystems of this host's machines: an image below, one writable layer per layer key above it.
 * A machine has at most one. A layer lives as long as its key is the last one prepared, also across a host's reboot.
 */
export abstract class RootfsStore {
  /**
   * Lays out and mounts the filesystem of (machine, layer key) over the image `digest` and returns its path. Idempotent:
   * the same key keeps what was written to it. Every other layer of that machine is removed first; the caller
   * guarantees that no process uses one, and a layer that is busy all the same makes this reject, to be tried again.
   *
   * Rejects with `TerminalError("image_not_found")` when the image is not on this host, `RetryAfterError("disk_full")`
   * when there is no room, and any other error when another attempt may succeed.
   */
  abstract prepare(machineId: string, layerKey: string, digest: string, signal: AbortSignal): Promise<string>;

  /** Unmounts and deletes all layers of a machine. Idempotent. */
  abstract remove(machineId: string): Promise<void>;

  /** Machines that have any trace here: for finding what no log knows of. */
  abstract list(): Promise<string[]>;
}
