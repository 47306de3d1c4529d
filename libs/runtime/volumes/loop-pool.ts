import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import type { FaultPoint } from "../fault-point.ts";
import { ifMissing } from "../files.ts";
import { DiskRoom } from "../images/disk-room.ts";
import { mountsUnder } from "../rootfs/mounts.ts";
import { Btrfs } from "./btrfs.ts";
import { demandFormat } from "./store-format.ts";

export interface LoopPoolSettings {
  /** Absolute folder of its own; the pool is a file in it. */
  readonly dir: string;
  /** The filesystem's name: it tells whose it is wherever the file is found. */
  readonly label: string;
  /** The file never becomes larger. */
  readonly maxBytes: number;
  /** Kept free on the disk below for others (F34). */
  readonly reserveBytes: number;
  readonly faultPoint?: FaultPoint;
}

/** Of each pool, this share is for what describes the data, and for what is deleted but not cleared away. */
const METADATA_SHARE = 0.1;
/**
 * For the filesystem itself, and the conformance check, which must pass where nothing else fits. The kernel resizes no
 * btrfs to less.
 */
const BASE_BYTES = 256 * 1024 * 1024;
/** The file grows by whole steps of this. */
const STEP_BYTES = 64 * 1024 * 1024;
/** Devices that the kernel's loop driver makes: Documentation/admin-guide/devices.txt, block major 7. */
const LOOP_MAJOR = "7";

/**
 * A btrfs in a file, for hosts without a disk of their own for volumes. The file has only the room that was promised, and
 * all of that: its blocks are allocated before, so that a disk which others fill takes nothing away from it (I8).
 *
 *     format      of what is in it
 *     pool.img    the file
 *     pool/       where it is mounted: it stays so when the agent ends, for machines use it (I5)
 */
export class LoopPool {
  readonly mountPoint: string;
  readonly filesystem: Btrfs;
  readonly #settings: LoopPoolSettings;
  readonly #file: string;
  readonly #room: DiskRoom;

  constructor(settings: LoopPoolSettings) {
    this.#settings = settings;
    this.#file = poolFileIn(settings.dir);
    this.mountPoint = join(settings.dir, "pool");
    this.filesystem = new Btrfs(this.mountPoint, settings.faultPoint);
    this.#room = new DiskRoom(settings.dir, settings.reserveBytes);
  }

  /** How much it can promise at its largest. */
  get capacityBytes(): number {
    return Math.max(0, Math.floor((this.#settings.maxBytes - BASE_BYTES) * (1 - METADATA_SHARE)));
  }

  /** Makes the pool where there is none, mounts it where it is not, and ends what an agent's death left half done. */
  async open(signal: AbortSignal): Promise<void> {
    await mkdir(this.mountPoint, { recursive: true, mode: 0o700 });
    await demandFormat(this.#settings.dir);
    if ((await sizeOf(this.#file)) === undefined) await this.#make(signal);
    if ((await mountsUnder(this.mountPoint)).length === 0) await this.#mount(signal);
    await this.#stretch(signal);
    await this.filesystem.enableQuotas(signal);
  }

  /** Grows the file until it holds `promisedBytes`. Throws `TerminalError("disk_full")` when the disk has no room. */
  async growFor(promisedBytes: number, purpose: string, signal: AbortSignal): Promise<void> {
    const neededBytes = Math.min(this.#settings.maxBytes, fileBytesFor(promisedBytes));
    const missingBytes = neededBytes - ((await sizeOf(this.#file)) ?? 0);
    if (missingBytes <= 0) return;
    await this.#room.demand(missingBytes, purpose);
    await allocate(this.#file, neededBytes, signal);
    await this.#stretch(signal);
  }

  /** The file appears whole, by one rename. */
  async #make(signal: AbortSignal): Promise<void> {
    const { maxBytes } = this.#settings;
    if (maxBytes < fileBytesFor(0)) throw new Error(`a pool of ${maxBytes} bytes is too small for btrfs`);
    const draft = `${this.#file}.new`;
    await rm(draft, { force: true });
    await this.#room.demand(fileBytesFor(0), "make a pool for volumes");
    await runCommand(["install", "--mode=0600", "/dev/null", draft], { signal });
    // A copy-on-write filesystem below would keep a second history of every block; others know no such flag.
    await runCommand(["chattr", "+C", draft], { signal }).catch(() => {});
    await allocate(draft, fileBytesFor(0), signal);
    // One copy of everything: what a quota counts is what it takes. Without -K the blocks would be given back.
    const profile = ["-K", "-m", "single", "-d", "single", "-L", this.#settings.label];
    await runCommand(["mkfs.btrfs", "-q", ...profile, draft], { signal });
    await runCommand(["sync", draft], { signal });
    await rename(draft, this.#file);
  }

  /** The kernel lets go of the loop device when the filesystem is unmounted: `-o loop` sees to that. */
  async #mount(signal: AbortSignal): Promise<void> {
    await makeLoopNode(signal);
    const options = "loop,noatime,nodev,nosuid,nodiscard";
    await runCommand(["mount", "-t", "btrfs", "-o", options, "--", this.#file, this.mountPoint], { signal });
  }

  /** Lets the filesystem take all of the file. */
  async #stretch(signal: AbortSignal): Promise<void> {
    for (const device of await loopsWhose((file) => file === this.#file))
      await runCommand(["losetup", "--set-capacity", device], { signal });
    await this.filesystem.resizeToDevice(signal);
  }
}

/** Where a host's pool is, inside its folder for volumes. */
export function poolFileIn(dir: string): string {
  return join(dir, "pool.img");
}

/** Loop devices on files below a folder. */
export function loopsBelow(folder: string): Promise<string[]> {
  return loopsWhose((file) => file.startsWith(`${folder}/`));
}

/** Lets go of all loop devices on files below a folder; what is still mounted keeps its own until it is unmounted. */
export async function detachLoops(folder: string): Promise<void> {
  for (const device of await loopsBelow(folder)) await runCommand(["losetup", "--detach", device]);
}

/** Loop devices whose file `matches`. */
async function loopsWhose(matches: (file: string) => boolean): Promise<string[]> {
  const { stdout } = await runCommand(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"]);
  if (stdout.trim() === "") return [];
  const { loopdevices } = JSON.parse(stdout) as { loopdevices: { name: string; "back-file": string }[] };
  return loopdevices.filter((device) => matches(device["back-file"] ?? "")).map(({ name }) => name);
}

/** In a container, /dev lacks the nodes of devices that the kernel made after its start. */
async function makeLoopNode(signal: AbortSignal): Promise<void> {
  const device = (await runCommand(["losetup", "--find"], { signal })).stdout.trim();
  const number = /^\/dev\/loop(\d+)/.exec(device)?.[1];
  if (number === undefined || (await sizeOf(device)) !== undefined) return;
  await runCommand(["mknod", `/dev/loop${number}`, "b", LOOP_MAJOR, number], { signal });
}

async function allocate(file: string, bytes: number, signal: AbortSignal): Promise<void> {
  await runCommand(["fallocate", "--length", String(bytes), "--", file], { signal });
}

function fileBytesFor(promisedBytes: number): number {
  const bytes = BASE_BYTES + promisedBytes / (1 - METADATA_SHARE);
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(({ size }) => size, ifMissing(undefined));
}
