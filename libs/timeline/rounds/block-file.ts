import { createHash } from "node:crypto";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress, zstdDecompressSync } from "node:zlib";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const SEAL_BYTES = 32;

/** Where a block stands in its file, in bytes. */
export interface BlockPlace {
  readonly at: number;
  readonly length: number;
}

/** A text to be kept. `key` names what it is: a block under another key is not taken for it. */
export interface Block {
  readonly key: string;
  readonly text: string;
}

/** A block as it stands on the disk, known to be whole. Compressed. */
export type WholeBlock = Buffer;

/**
 * Writes blocks into one file so that after a power cut it is there as a whole or not at all. Returns their places, in
 * order. Throws what the file system throws.
 */
export async function writeBlocks(
  directory: string,
  name: string,
  blocks: readonly Block[],
): Promise<BlockPlace[]> {
  await mkdir(directory, { recursive: true });
  const temporary = join(directory, `.${name}.tmp`);
  const places: BlockPlace[] = [];
  const file = await open(temporary, "w", 0o600);
  try {
    let at = 0;
    for (const { key, text } of blocks) {
      const body = await compress(text);
      const length = SEAL_BYTES + body.length;
      await file.writev([sealOf(key, body), body]);
      places.push({ at, length });
      at += length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, name));
  await syncFolder(directory);
  return places;
}

/** Reads a block; undefined when it is not whole, for whatever reason. */
export async function readBlock(
  path: string,
  key: string,
  place: BlockPlace,
): Promise<WholeBlock | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const bytes = Buffer.allocUnsafe(place.length);
      const { bytesRead } = await file.read(bytes, 0, place.length, place.at);
      if (bytesRead !== place.length) return undefined;
      const body = bytes.subarray(SEAL_BYTES);
      return sealOf(key, body).equals(bytes.subarray(0, SEAL_BYTES)) ? body : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

export async function textOf(block: WholeBlock): Promise<string> {
  return (await decompress(block)).toString("utf8");
}

/** As `textOf`, for one who cannot wait. */
export function textNow(block: WholeBlock): string {
  return zstdDecompressSync(block).toString("utf8");
}

/** A rename is there after a power cut once its folder is synced. */
export async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function sealOf(key: string, body: Uint8Array): Buffer {
  return createHash("sha256").update(key).update("\0").update(body).digest();
}
