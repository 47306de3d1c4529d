import { statfs } from "node:fs/promises";
import { TerminalError } from "#kernel";

/** Files that a filesystem must be able to take on top of what is being written. */
const RESERVE_FILES = 1_000;
/** How often a running child's use of the disk is looked at: nothing tells of it. */
const LOOK_EVERY_MS = 200;
const MIB = 1024 * 1024;

/**
 * The room on the filesystem of a directory. A reserve stays free for what must go on when images do not fit: the
 * host's log and the machines that run (F34).
 */
export class DiskRoom {
  readonly #path: string;
  readonly #reserveBytes: number;

  constructor(path: string, reserveBytes: number) {
    this.#path = path;
    this.#reserveBytes = reserveBytes;
  }

  /** Throws `TerminalError("disk_full")` unless `bytes` more fit beside the reserve. */
  async demand(bytes: number, purpose: string): Promise<void> {
    const { freeBytes, freeFiles } = await this.#free();
    if (freeBytes - this.#reserveBytes >= bytes && freeFiles >= RESERVE_FILES) return;
    const available = Math.max(0, freeBytes - this.#reserveBytes);
    throw new TerminalError(
      "disk_full",
      `No room to ${purpose}: it needs ${mib(bytes)}, the disk has ${mib(available)} beside its reserve of ` +
        `${mib(this.#reserveBytes)}. Free some space on this host or remove unused images.`,
    );
  }

  /**
   * Runs work under a signal that fires with `TerminalError("disk_full")` when the reserve is touched: whatever was
   * checked before, others write to the same disk.
   */
  async guard<T>(
    signal: AbortSignal,
    purpose: string,
    work: (guarded: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const full = new AbortController();
    const look = () => this.demand(0, purpose).catch((error: unknown) => full.abort(error));
    const timer = setInterval(look, LOOK_EVERY_MS);
    try {
      return await work(AbortSignal.any([signal, full.signal]));
    } catch (error) {
      throw full.signal.aborted ? full.signal.reason : error;
    } finally {
      clearInterval(timer);
    }
  }

  async #free(): Promise<{ freeBytes: number; freeFiles: number }> {
    const { bsize, bavail, files, ffree } = await statfs(this.#path);
    // btrfs makes inodes as it needs them and says that it has 0
    return { freeBytes: bavail * bsize, freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree };
  }
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
