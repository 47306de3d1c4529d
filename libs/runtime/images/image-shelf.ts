import { createHash } from "node:crypto";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { runCommand } from "../command.ts";
import { writeWhole } from "../files.ts";
import { removeTree } from "../remove-tree.ts";
import { digestSchema } from "./manifest.ts";

const shelvedSchema = z.object({
  digest: digestSchema,
  config: z.object({
    env: z.record(z.string(), z.string()).readonly(),
    entrypoint: z.array(z.string()).readonly(),
    cmd: z.array(z.string()).readonly(),
    workingDir: z.string(),
    user: z.string(),
    stopSignal: z.string().exactOptional(),
  }),
  sizeBytes: z.number(),
  /** Digests of all blobs that it was made of. */
  blobs: z.array(digestSchema),
});
export type ShelvedImage = z.infer<typeof shelvedSchema>;

const referenceSchema = z.object({ reference: z.string(), digest: digestSchema });

const SYNC_TIMEOUT_MS = 120_000;

/**
 * The images' folder: what is unpacked, which reference last named what, the blobs, and work in progress.
 *
 *     unpacked/<hex>/{rootfs/, image.json}   appears whole, by one rename
 *     references/<hash of the reference>.json
 *     blobs/sha256/<hex>                     layers, kept for the next image that shares them
 *     staging/<id>/                          swept at start
 */
export class ImageShelf {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the folders and deletes what a killed predecessor had in the works. Closed to other users: it holds setuid files. */
  async open(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await removeTree(join(this.#dir, "staging"));
    for (const folder of ["unpacked", "references", "blobs/sha256", "staging"]) {
      await mkdir(join(this.#dir, folder), { recursive: true, mode: 0o700 });
    }
  }

  rootfsOf(digest: string): string {
    return join(this.#dir, "unpacked", hexOf(digest), "rootfs");
  }

  async load(digest: string): Promise<ShelvedImage | undefined> {
    return readJson(join(this.#dir, "unpacked", hexOf(digest), "image.json"), shelvedSchema);
  }

  /** The digest that a reference named last. Its image may be gone. */
  async named(reference: string): Promise<string | undefined> {
    return (await readJson(this.#referencePath(reference), referenceSchema))?.digest;
  }

  async setName(reference: string, digest: string): Promise<void> {
    await writeWhole(this.#referencePath(reference), JSON.stringify({ reference, digest }));
  }

  /** A fresh folder for one piece of work; the blobs are reached through it. The caller deletes it. */
  async stage(id: string): Promise<string> {
    const stage = join(this.#dir, "staging", id);
    await mkdir(stage, { mode: 0o700 });
    return stage;
  }

  blobsDir(): string {
    return join(this.#dir, "blobs");
  }

  async hasBlob(digest: string): Promise<boolean> {
    return (await this.#blobNames()).has(hexOf(digest));
  }

  /** Puts an unpacked image on the shelf: `folder` holds its `rootfs` and nothing else. */
  async add(folder: string, image: ShelvedImage): Promise<void> {
    await writeFile(join(folder, "image.json"), JSON.stringify(image));
    // All of it must be on the disk before the rename that makes it count: a power cut may not leave empty files.
    await runCommand(["sync", "--file-system", folder], { timeoutMs: SYNC_TIMEOUT_MS });
    const place = join(this.#dir, "unpacked", hexOf(image.digest));
    await rename(folder, place).catch(async (error: unknown) => {
      if ((await this.load(image.digest)) !== undefined) return; // another pull was first: the same bytes
      await removeTree(place); // a damaged one: without its image.json it is none
      await rename(folder, place).catch(() => Promise.reject(error));
    });
    await syncFolder(join(this.#dir, "unpacked"));
  }

  /**
   * Deletes images, blobs and names that are not kept. What keeps them is asked at the very moment of deletion, with
   * nothing in between: a pull that claims an image first and then finds it here has it for good.
   */
  async prune(
    keepsImage: (digest: string) => boolean,
    keepsBlob: (digest: string) => boolean,
  ): Promise<void> {
    const needed = new Set<string>();
    for (const hex of await readdir(join(this.#dir, "unpacked"))) {
      const image = await this.load(`sha256:${hex}`);
      if (image !== undefined && keepsImage(image.digest)) for (const blob of image.blobs) needed.add(blob);
      else await this.#discard(hex);
    }
    for (const hex of await this.#blobNames()) {
      const blob = `sha256:${hex}`;
      if (!needed.has(blob) && !keepsBlob(blob))
        rmSync(join(this.#dir, "blobs/sha256", hex), { force: true });
    }
    for (const file of await readdir(join(this.#dir, "references"))) {
      const path = join(this.#dir, "references", file);
      const digest = (await readJson(path, referenceSchema))?.digest;
      if (digest === undefined || (await this.load(digest)) === undefined) await rm(path, { force: true });
    }
  }

  /** First out of sight, then deleted: half an image is never seen. */
  async #discard(hex: string): Promise<void> {
    const doomed = mkdtempSync(join(this.#dir, "staging", "discarded-"));
    renameSync(join(this.#dir, "unpacked", hex), join(doomed, hex));
    await removeTree(doomed);
  }

  async #blobNames(): Promise<Set<string>> {
    return new Set(await readdir(join(this.#dir, "blobs/sha256")));
  }

  #referencePath(reference: string): string {
    const name = createHash("sha256").update(reference).digest("hex");
    return join(this.#dir, "references", `${name}.json`);
  }
}

function hexOf(digest: string): string {
  return digestSchema.parse(digest).slice("sha256:".length);
}

/** A damaged record counts as none: it is written anew. */
async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S> | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}
