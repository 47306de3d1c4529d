import { type CommandOutput, runCommand } from "../command.ts";
import { type FaultPoint, noFault } from "../fault-point.ts";

/** What btrfs accounts for one subvolume, in bytes. */
export interface QuotaGroup {
  /** Of the subvolume, from the top of its filesystem: "volumes/vol_1". */
  readonly path: string;
  /** All that it holds, shared or not. */
  readonly heldBytes: number;
  /** What would be free without it. */
  readonly ownBytes: number;
  /** The most that it may hold; undefined for no limit. */
  readonly limitBytes: number | undefined;
}

/**
 * One mounted btrfs, by the programs of btrfs-progs. Whatever touches it runs in a child process: a filesystem that
 * hangs then keeps a child waiting, and none of the few threads that our own file calls share (F26).
 */
export class Btrfs {
  readonly #mountPoint: string;
  readonly #faultPoint: FaultPoint;

  constructor(mountPoint: string, faultPoint: FaultPoint = noFault) {
    this.#mountPoint = mountPoint;
    this.#faultPoint = faultPoint;
  }

  /** Counts from now on what each subvolume holds. Nothing happens when it does already. */
  async enableQuotas(signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "quota", "enable", "."], signal);
  }

  /** What all subvolumes hold at this moment: `isExact` writes to disk first, else as of the last half minute. */
  async groups(isExact: boolean, signal: AbortSignal): Promise<QuotaGroup[]> {
    const argv = ["btrfs", "qgroup", "show", "-re", "--raw", ...(isExact ? ["--sync"] : []), "."];
    const { stdout, stderr } = await this.#run(argv, signal);
    if (!/inconsistent/.test(stderr)) return parseGroups(stdout);
    await this.#run(["btrfs", "quota", "rescan", "-w", "."], signal);
    return parseGroups((await this.#run(argv, signal)).stdout);
  }

  /** Bytes in use for data and what describes it, with what is deleted and not cleared away yet. */
  async usedBytes(signal: AbortSignal): Promise<number> {
    const { stdout } = await this.#run(["btrfs", "filesystem", "df", "--raw", "."], signal);
    const used = [...stdout.matchAll(/^(?:Data|Metadata|Data\+Metadata),.* used=(\d+)$/gm)];
    return used.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  }

  async createSubvolume(path: string, signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "subvolume", "create", path], signal);
  }

  /** A copy of one instant. What was written before is in it, synced or not. */
  async snapshot(path: string, copy: string, options: readonly "-r"[], signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "subvolume", "snapshot", ...options, path, copy], signal);
  }

  /** Resolves once it is gone for good. Its room comes back later: see `cleared`. */
  async deleteSubvolume(path: string, signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "subvolume", "delete", "--commit-after", path], signal);
  }

  /** Resolves once the room of all that was deleted is back. */
  async cleared(signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "subvolume", "sync", "."], signal);
  }

  async limit(path: string, bytes: number, signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "qgroup", "limit", String(bytes), path], signal);
  }

  /** Resolves once all that was done is on disk. */
  async sync(signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "filesystem", "sync", "."], signal);
  }

  /** Takes all the room of its device. */
  async resizeToDevice(signal: AbortSignal): Promise<void> {
    await this.#run(["btrfs", "filesystem", "resize", "max", "."], signal);
  }

  /** Moves a subvolume to another name, in one step. */
  async rename(path: string, to: string, signal: AbortSignal): Promise<void> {
    await this.#run(["mv", "--no-target-directory", "--no-clobber", path, to], signal);
  }

  async makeFolders(paths: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#run(["mkdir", "--parents", ...paths], signal);
  }

  /** Paths are below the mount point, whose own path may hold anything. */
  async #run(argv: readonly string[], signal: AbortSignal): Promise<CommandOutput> {
    const output = await runCommand(argv, { cwd: this.#mountPoint, signal });
    await this.#faultPoint(argv.slice(0, 3).join(" "));
    return output;
  }
}

/** Lines such as "0/256  104841216  16384  104857600  none  volumes/vol_1"; those of deleted subvolumes have no path. */
function parseGroups(text: string): QuotaGroup[] {
  return text.split("\n").flatMap((line): QuotaGroup[] => {
    const [id = "", held, own, limit, , path = ""] = line.trim().split(/\s+/);
    if (!/^0\/\d+$/.test(id) || path === "" || path.startsWith("<")) return [];
    const limitBytes = limit === "none" ? undefined : Number(limit);
    return [{ path, heldBytes: Number(held), ownBytes: Number(own), limitBytes }];
  });
}
