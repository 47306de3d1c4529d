import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Ids, TerminalError } from "#kernel";
import { removeTree } from "../remove-tree.ts";
import { DiskRoom } from "./disk-room.ts";
import { ImageShelf, type ShelvedImage } from "./image-shelf.ts";
import { type FoundImage, type ImageSource, sourceOf } from "./image-source.ts";
import { ImageStore, type PulledImage } from "./image-store.ts";
import { declaredBytes, digestOf, invalidImage, parseConfig } from "./manifest.ts";
import { RecentClaims } from "./recent-claims.ts";
import { type ImageReference, parseReference } from "./reference.ts";
import { SharedTasks } from "./shared-tasks.ts";
import { Skopeo } from "./skopeo.ts";
import { measureLayers, readStaged, type StagedImage, unpackLayers } from "./unpack.ts";

const GIB = 1024 ** 3;

export interface OciImageStoreSettings {
  /** Absolute folder of its own, on the filesystem that the machines' layers are on. */
  readonly dir: string;
  readonly ids: Ids;
  readonly clock: Clock;
  /** Registry credentials, as `skopeo login --authfile` writes them. */
  readonly authFile?: string;
  /** Largest image, both as fetched and unpacked. 10 GiB unless given. */
  readonly maxImageBytes?: number;
  /** What stays free on the disk for everything else. 1 GiB unless given. */
  readonly reserveBytes?: number;
  /** How long a registry may take to say what a reference names. 20 s unless given. */
  readonly findTimeoutMs?: number;
  /** The same when there is a cached image to serve instead. 3 s unless given. */
  readonly findCachedTimeoutMs?: number;
  /** How long fetching may take, and unpacking. 15 minutes unless given. */
  readonly bringTimeoutMs?: number;
}

/** Images by skopeo (fetch) and umoci (unpack), unpacked once each into a folder named by its digest. */
export class OciImageStore extends ImageStore {
  readonly #settings: Required<Omit<OciImageStoreSettings, "authFile">>;
  readonly #shelf: ImageShelf;
  readonly #skopeo: Skopeo;
  readonly #room: DiskRoom;
  readonly #pulls = new SharedTasks<PulledImage>();
  readonly #unpacks = new SharedTasks<ShelvedImage>();
  /** Images being brought here, whose blobs a prune must leave alone. */
  readonly #underWay = new Set<FoundImage>();
  readonly #claims: RecentClaims;

  /** Opens the folder. One process at a time: what lies half done in it is deleted. */
  static async open(settings: OciImageStoreSettings): Promise<OciImageStore> {
    const store = new OciImageStore(settings);
    await store.#shelf.open();
    return store;
  }

  private constructor(settings: OciImageStoreSettings) {
    super();
    this.#claims = new RecentClaims(settings.clock);
    this.#settings = {
      maxImageBytes: 10 * GIB,
      reserveBytes: GIB,
      findTimeoutMs: 20_000,
      findCachedTimeoutMs: 3_000,
      bringTimeoutMs: 15 * 60_000,
      ...settings,
    };
    this.#shelf = new ImageShelf(settings.dir);
    this.#skopeo = new Skopeo(settings.authFile === undefined ? {} : { authFile: settings.authFile });
    this.#room = new DiskRoom(settings.dir, this.#settings.reserveBytes);
  }

  override async pull(reference: string, signal: AbortSignal): Promise<PulledImage> {
    const image = parseReference(reference);
    return this.#pulls.run(image.text, signal, (shared) => this.#pull(image, shared));
  }

  override async load(digest: string): Promise<PulledImage | undefined> {
    const shelved = await this.#shelf.load(digest);
    return shelved === undefined ? undefined : publicPart(shelved);
  }

  override rootfsOf(digest: string): string {
    return this.#shelf.rootfsOf(digest);
  }

  override async prune(keep: Iterable<string>): Promise<void> {
    const kept = new Set(keep);
    const isUnderWay = (test: (found: FoundImage) => boolean) => [...this.#underWay].some(test);
    await this.#shelf.prune(
      (digest) =>
        kept.has(digest) || this.#claims.has(digest) || isUnderWay((found) => found.digest === digest),
      (blob) =>
        isUnderWay(({ manifest: { config, layers } }) => [config, ...layers].some((d) => d.digest === blob)),
    );
  }

  async #pull(image: ImageReference, signal: AbortSignal): Promise<PulledImage> {
    const cached = await this.#cached(image);
    if (cached !== undefined && image.digest !== undefined) return publicPart(cached);
    const source = sourceOf(image, this.#skopeo);
    const { findTimeoutMs, findCachedTimeoutMs } = this.#settings;
    const timeoutMs = cached === undefined ? findTimeoutMs : findCachedTimeoutMs;
    let found: FoundImage;
    try {
      found = await source.find({ signal, timeoutMs });
    } catch (error) {
      // F36: a registry that is down stops no image that is here; one that says no is believed.
      if (cached === undefined || error instanceof TerminalError || signal.aborted) throw error;
      return publicPart(cached);
    }
    const place = image.kind === "registry" ? image.name : image.path;
    const shelved = await this.#unpacks.run(`${place} ${found.digest}`, signal, (shared) =>
      this.#bring(image, source, found, shared),
    );
    await this.#shelf.setName(image.text, found.digest);
    return publicPart(shelved);
  }

  async #cached({ text, digest }: ImageReference): Promise<ShelvedImage | undefined> {
    const byDigest = digest === undefined ? undefined : await this.#claim(digest);
    if (byDigest !== undefined) return byDigest;
    const named = await this.#shelf.named(text); // the digest of an index is a name too
    return named === undefined ? undefined : this.#claim(named);
  }

  /** An image that is here, safe from a prune for now. */
  async #claim(digest: string): Promise<ShelvedImage | undefined> {
    this.#claims.add(digest);
    return this.#shelf.load(digest);
  }

  /** Fetches, checks and unpacks, all in a folder that nobody looks into, and puts the result on the shelf. */
  async #bring(
    image: ImageReference,
    source: ImageSource,
    found: FoundImage,
    signal: AbortSignal,
  ): Promise<ShelvedImage> {
    const here = await this.#claim(found.digest);
    if (here !== undefined) return here;
    this.#underWay.add(found);
    const stage = await this.#shelf.stage(this.#settings.ids.ulid());
    try {
      const layout = await this.#fetch(image, source, found, stage, signal);
      return await this.#unpack(image, found, stage, layout, signal);
    } finally {
      this.#underWay.delete(found);
      await removeTree(stage);
    }
  }

  async #fetch(
    image: ImageReference,
    source: ImageSource,
    found: FoundImage,
    stage: string,
    signal: AbortSignal,
  ): Promise<string> {
    await this.#assertFits(image, found);
    const layout = join(stage, "layout");
    await mkdir(layout);
    await symlink(this.#shelf.blobsDir(), join(layout, "blobs"));
    const { config, layers } = found.manifest;
    const maxBlobBytes = Math.max(config.size, ...layers.map((layer) => layer.size));
    await this.#room.guard(signal, `fetch image ${image.text}`, (guarded) =>
      source.copy(found, stage, {
        signal: guarded,
        timeoutMs: this.#settings.bringTimeoutMs,
        maxBlobBytes,
      }),
    );
    return layout;
  }

  async #assertFits({ text }: ImageReference, { manifest }: FoundImage): Promise<void> {
    const { maxImageBytes } = this.#settings;
    const declared = declaredBytes(manifest);
    if (declared > maxImageBytes) {
      throw invalidImage(text, `has ${declared} bytes, more than the ${maxImageBytes} allowed`);
    }
    let missing = 0;
    for (const { digest, size } of manifest.layers) missing += (await this.#shelf.hasBlob(digest)) ? 0 : size;
    await this.#room.demand(missing, `fetch image ${text}`);
  }

  async #unpack(
    { text }: ImageReference,
    found: FoundImage,
    stage: string,
    layout: string,
    signal: AbortSignal,
  ): Promise<ShelvedImage> {
    const staged = await readStaged(text, layout);
    assertCopied(text, found, staged);
    const config = parseConfig(text, staged.config);
    const { maxImageBytes, bringTimeoutMs } = this.#settings;
    const sizeBytes = await measureLayers(text, layout, staged.manifest.layers, maxImageBytes, signal);
    await this.#room.demand(sizeBytes, `unpack image ${text}`);
    const folder = join(stage, "unpacked");
    await mkdir(folder, { mode: 0o700 });
    await this.#room.guard(signal, `unpack image ${text}`, (guarded) =>
      unpackLayers(text, stage, {
        maxFileBytes: sizeBytes,
        timeoutMs: bringTimeoutMs,
        signal: guarded,
      }),
    );
    const blobs = [staged.manifest.config, ...staged.manifest.layers].map((blob) => blob.digest);
    const shelved = { digest: found.digest, config, sizeBytes, blobs: [...blobs, staged.manifestDigest] };
    await this.#shelf.add(folder, shelved);
    return shelved;
  }
}

/**
 * The chain from the digest to the files: digest → manifest (checked when found) → config (here; skopeo translates
 * Docker's, having checked it) → diff ids → layers (umoci).
 */
function assertCopied(image: string, found: FoundImage, staged: StagedImage): void {
  const docker = found.manifest.config.mediaType.startsWith("application/vnd.docker.");
  const sameConfig = docker || digestOf(staged.config) === found.manifest.config.digest;
  if (sameConfig && staged.manifest.layers.length === found.manifest.layers.length) return;
  throw invalidImage(image, "changed while it was copied: pull it again");
}

function publicPart({ digest, config, sizeBytes }: ShelvedImage): PulledImage {
  return { digest, config, sizeBytes };
}
