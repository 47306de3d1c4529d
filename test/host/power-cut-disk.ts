import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsUnder } from "#runtime";
import { until } from "./container-process.ts";

/** EXT4_IOC_SHUTDOWN of fs/ext4/ext4.h, and the flag by which not even the journal is written any more. */
const SHUTDOWN = 0x8004587d;
const NO_LOG_FLUSH = 2;

/** A disk whose power can be cut: what was not flushed to it by then is lost, and what is written after fails. */
export class PowerCutDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #folder: string;
  readonly #file: string;

  constructor(mib: number) {
    this.#folder = mkdtempSync(join(tmpdir(), "drover-disk-"));
    this.#file = join(this.#folder, "disk.img");
    this.path = join(this.#folder, "disk");
    mkdirSync(this.path);
    execFileSync("truncate", ["--size", `${mib}M`, this.#file]);
    execFileSync("mkfs.ext4", ["-q", this.#file]);
    this.#mount();
  }

  /** Writes all of it to the disk. */
  sync(): void {
    execFileSync("sync", ["--file-system", this.path]);
  }

  cutPower(): void {
    const opened = `my $how = pack("L", ${NO_LOG_FLUSH}); open(my $disk, "<", $ARGV[0]) or die`;
    const call = `${opened}; ioctl($disk, ${SHUTDOWN}, $how) or die $!`;
    execFileSync("perl", ["-e", call, this.path]);
  }

  /** Mounts it again, with what had reached it. Nobody may be using it. */
  async plugIn(): Promise<void> {
    await this.#unmount();
    this.#mount();
  }

  async remove(): Promise<void> {
    await this.#unmount();
    rmSync(this.#folder, { recursive: true });
  }

  #mount(): void {
    execFileSync("mount", ["-o", "loop,noatime", this.#file, this.path]);
  }

  /** Tried again: the kernel lets go of a loop device on this disk a moment after that is unmounted. */
  async #unmount(): Promise<void> {
    await until(async () => {
      for (const point of (await mountsUnder(this.path)).reverse())
        try {
          execFileSync("umount", ["--no-canonicalize", point], { stdio: "ignore" });
        } catch {
          return undefined;
        }
      return true;
    });
  }
}
