import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  stat,
  statfs,
  symlink,
} from "node:fs/promises";
import { join, relative } from "node:path";
import { RefusedError, RetryAfterError, refusal, TerminalError } from "#kernel";
import { CommandError, runCommand } from "../command.ts";
import { type FaultPoint, noFault } from "../fault-point.ts";
import { ifMissing } from "../files.ts";
import type { ImageStore } from "../images/image-store.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import { removeTree } from "../remove-tree.ts";
import { mountsUnder, unmountUnder } from "./mounts.ts";
import { RootfsStore } from "./rootfs-store.ts";

export interface OverlayRootfsStoreSettings {
  /** Absolute folder of its own, on the filesystem that the images are on. Not an overlay itself. */
  readonly dir: string;
  readonly images: ImageStore;
  readonly faultPoint?: FaultPoint;
}

/** What a machine may not do to the layers below: no device files work, no lower directory is redirected. */
const OPTIONS = "nodev,redirect_dir=nofollow,lowerdir=lower,upperdir=upper,workdir=work";
const OVERLAYFS_MAGIC = 0x794c7630;
const TRASH = ".trash";
const SAFE_NAME = /^\w[\w.-]{0,127}$/;
const DISK_FULL_RETRY_MS = 5_000;

/**
 * Root filesystems as overlay mounts:
 *
 *     <machine>/<layer key>/{lower → the image's rootfs, upper/, work/, merged/}
 *     .trash/                what is being built and what is being deleted; swept at start
 *
 * A layer appears and disappears by one rename, so that no crash leaves half of one. The mount's options are relative
 * to the layer's folder: neither their length nor a `:` in the data folder's path can break them.
 */
export class OverlayRootfsStore extends RootfsStore {
  readonly #dir: string;
  readonly #images: ImageStore;
  readonly #oneAtATime = new OneAtATime();
  readonly #faultPoint: FaultPoint;

  /** Opens the folder and deletes what a killed predecessor left. Throws `RefusedError` where overlays cannot be. */
  static async open(settings: OverlayRootfsStoreSettings): Promise<OverlayRootfsStore> {
    const { dir } = settings;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if ((await statfs(dir)).type === OVERLAYFS_MAGIC) {
      const message = `The data folder ${dir} lies on an overlay filesystem, which cannot carry another: choose one on a disk.`;
      throw new RefusedError(refusal("unsupported", message));
    }
    const trash = join(dir, TRASH);
    await unmountUnder(trash);
    await removeTree(trash);
    await mkdir(trash, { mode: 0o700 });
    return new OverlayRootfsStore(settings);
  }

  private constructor({ dir, images, faultPoint = noFault }: OverlayRootfsStoreSettings) {
    super();
    this.#faultPoint = faultPoint;
    this.#dir = dir;
    this.#images = images;
  }

  override prepare(
    machineId: string,
    layerKey: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<string> {
    return this.#oneAtATime.take(machineId, () =>
      this.#prepare(machineId, layerKey, digest, signal).catch(explain),
    );
  }

  override async remove(machineId: string): Promise<void> {
    await this.#oneAtATime.take(machineId, () => this.#discard(this.#machineDir(machineId)));
  }

  override async list(): Promise<string[]> {
    return (await readdir(this.#dir)).filter((name) => name !== TRASH);
  }

  async #prepare(machineId: string, layerKey: string, digest: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const machineDir = this.#machineDir(machineId);
    const layer = join(machineDir, safe(layerKey));
    const lower = relative(layer, this.#images.rootfsOf(digest));
    const merged = join(layer, "merged");
    const [image, stands] = await Promise.all([
      this.#images.load(digest),
      this.#stands(machineDir, layerKey, lower),
    ]);
    if (image === undefined) {
      throw new TerminalError("image_not_found", `The image ${digest} is not on this host: pull it again.`);
    }
    if (stands) return merged;
    await mkdir(machineDir, { recursive: true, mode: 0o700 });
    for (const other of await readdir(machineDir)) {
      signal.throwIfAborted();
      const kept =
        other === layerKey && (await readlink(join(layer, "lower")).catch(ifMissing(undefined))) === lower;
      if (!kept) await this.#discard(join(machineDir, other), signal);
    }
    if ((await stat(layer).catch(ifMissing(undefined))) === undefined) await this.#lay(layer, lower, digest);
    if ((await mountsUnder(merged)).length === 0) {
      const argv = ["mount", "-t", "overlay", "-o", OPTIONS, "drover", "merged"];
      await runCommand(argv, { cwd: layer, signal });
      await this.#faultPoint("layer mounted");
    }
    return merged;
  }

  /** Whether this layer and no other is there, on that image, mounted: it lies on another device than its folder then. */
  async #stands(machineDir: string, layerKey: string, lower: string): Promise<boolean> {
    const layer = join(machineDir, layerKey);
    const [layers, link, own, merged] = await Promise.all([
      readdir(machineDir).catch(ifMissing([])),
      readlink(join(layer, "lower")).catch(ifMissing(undefined)),
      stat(layer).catch(ifMissing(undefined)),
      stat(join(layer, "merged")).catch(ifMissing(undefined)),
    ]);
    if (own === undefined || merged === undefined) return false;
    return layers.length === 1 && link === lower && merged.dev !== own.dev;
  }

  /** The root's own owner and mode are those of the upper folder, so it takes them from the image. */
  async #lay(layer: string, lower: string, digest: string): Promise<void> {
    const { mode, uid, gid } = await stat(this.#images.rootfsOf(digest));
    const draft = await mkdtemp(join(this.#dir, TRASH, "new-"));
    await symlink(lower, join(draft, "lower"));
    for (const folder of ["upper", "work", "merged"]) await mkdir(join(draft, folder));
    await chown(join(draft, "upper"), uid, gid);
    await chmod(join(draft, "upper"), mode & 0o7777);
    await this.#faultPoint("layer drafted");
    await rename(draft, layer);
    await this.#faultPoint("layer laid");
  }

  async #discard(path: string, signal?: AbortSignal): Promise<void> {
    await unmountUnder(path, signal);
    await this.#faultPoint("layer unmounted");
    const doomed = await mkdtemp(join(this.#dir, TRASH, "old-"));
    await rename(path, join(doomed, "layer")).catch(ifMissing(undefined));
    await this.#faultPoint("layer out of sight");
    await removeTree(doomed, signal);
    await this.#faultPoint("layer deleted");
  }

  #machineDir(machineId: string): string {
    return join(this.#dir, safe(machineId));
  }
}

function safe(name: string): string {
  if (SAFE_NAME.test(name)) return name;
  throw new TerminalError("invalid", `"${name.slice(0, 40)}" cannot name a folder.`);
}

/** Whatever is in use now may be free at the next attempt, and so may the disk. */
function explain(error: unknown): never {
  const text = error instanceof CommandError ? error.stderr : String(error);
  if (/ENOSPC|No space left on device/i.test(text)) {
    const message = "No room for a machine's root filesystem: free some space on this host.";
    throw new RetryAfterError("disk_full", message, DISK_FULL_RETRY_MS);
  }
  throw error;
}
