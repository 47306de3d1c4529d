import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { TerminalError } from "#kernel";
import { CommandError, runCommand } from "../command.ts";
import { type Descriptor, indexSchema, invalidImage, type Manifest, parseManifest } from "./manifest.ts";

const GZIP = Buffer.from([0x1f, 0x8b]);

/** The one image in a layout that skopeo wrote, with its config's bytes. Every blob of it is checked. */
export async function readStaged(image: string, layout: string): Promise<StagedImage> {
  const index = indexSchema.parse(JSON.parse(await readFile(join(layout, "index.json"), "utf8")));
  const entry = index.manifests[0];
  if (entry === undefined) throw new Error(`Image ${image}: skopeo copied nothing.`);
  await assertWhole(layout, entry);
  const parsed = parseManifest(image, await readFile(blobPath(layout, entry.digest)));
  if (!("manifest" in parsed)) throw invalidImage(image, "is an index of indexes");
  for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) await assertWhole(layout, blob);
  const config = await readFile(blobPath(layout, parsed.manifest.config.digest));
  return { manifestDigest: entry.digest, manifest: parsed.manifest, config };
}

export interface StagedImage {
  /** In the layout. Differs from the registry's when that one was in Docker's format. */
  readonly manifestDigest: string;
  readonly manifest: Manifest;
  readonly config: Buffer;
}

/** A blob that went bad on this disk is deleted, so that the next attempt fetches it again. */
async function assertWhole(layout: string, blob: Descriptor): Promise<void> {
  const path = blobPath(layout, blob.digest);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), hash);
  if (`sha256:${hash.digest("hex")}` === blob.digest) return;
  await rm(path);
  throw new Error(`The stored blob ${blob.digest} was damaged on this disk; it will be fetched again.`);
}

/**
 * Bytes that the layers take once decompressed, found by decompressing them into nothing. Stops with `image_invalid`
 * as soon as they are more than `maxBytes`: no decompression bomb gets as far as the disk (F36).
 */
export async function measureLayers(
  image: string,
  layout: string,
  layers: readonly Descriptor[],
  maxBytes: number,
  signal: AbortSignal,
): Promise<number> {
  let total = 0;
  const count = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      total += chunk.length;
      if (total > maxBytes) throw invalidImage(image, `unpacks to more than the ${maxBytes} bytes allowed`);
    }
  };
  for (const { digest } of layers) {
    const path = blobPath(layout, digest);
    const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
    const layer = (await startsWith(path, GZIP))
      ? pipeline(bytes, createGunzip({ chunkSize: 256 * 1024 }), count, { signal })
      : pipeline(bytes, count, { signal });
    await layer.catch((error: unknown) => {
      throw isZlibError(error) ? invalidImage(image, `has a damaged layer (${error.message})`) : error;
    });
  }
  return total;
}

/**
 * The rights that umoci keeps: owners, modes, device files and file capabilities of what it unpacks. It reads what
 * strangers wrote, so it gets no other.
 */
const CAPABILITIES = "-all,+chown,+dac_override,+fowner,+fsetid,+mknod,+setfcap";

/**
 * Unpacks `stage/layout` into `stage/unpacked/rootfs`. The folder around the rootfs holds nothing else: umoci 0.4.7 keeps every entry within
 * the rootfs save one, a whiteout named `.wh...`, which deletes the folder around it. umoci checks each layer's digest
 * and, decompressed, its diff id. No file gets larger than all layers together: a sparse entry of a few bytes would
 * otherwise be written out as gigabytes of zeros.
 */
export async function unpackLayers(
  image: string,
  stage: string,
  limits: { maxFileBytes: number; timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const fence = ["setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--inh-caps=-all"];
  const confined = [...fence, `--bounding-set=${CAPABILITIES}`, "prlimit", `--fsize=${limits.maxFileBytes}`];
  try {
    await runCommand([...confined, "umoci", "raw", "unpack", "--image", "layout:image", "unpacked/rootfs"], {
      ...limits,
      cwd: stage,
    });
  } catch (error) {
    limits.signal.throwIfAborted();
    throw error instanceof CommandError ? explain(image, error) : error;
  }
}

/** umoci ends with exit code 1 for whatever it finds wrong; killed or missing says nothing about the image. */
function explain(image: string, error: CommandError): Error {
  if (error.reason !== "failed" || error.exitCode !== 1) {
    return new Error(`Image ${image} cannot be unpacked now: ${error.message}`);
  }
  const line = error.stderr.trim().split("\n").at(-1) ?? "";
  const words = line.replace(/^\W*(create rootfs: )?/, "").slice(0, 200);
  if (words.includes("no space left on device")) {
    return new TerminalError(
      "disk_full",
      `Image ${image} cannot be unpacked: the disk is full. Free some space.`,
    );
  }
  return invalidImage(image, `cannot be unpacked (${words})`);
}

async function startsWith(path: string, magic: Buffer): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
  return bytesRead === magic.length && buffer.equals(magic);
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z_/.test(String(error.code));
}

function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", digest.replace(":", "/"));
}
