import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import {
  blobFile,
  busyboxLayer,
  digestOf,
  layerOf,
  type OciLayer,
  type OciLayout,
  type TestImage,
} from "./oci-image.ts";
import { END, type TarEntry, tarHeader } from "./oci-tar.ts";

/** Images and layouts that lie or attack, for F36. */

/** Changes a byte in a blob of a layout, so that it is no longer what its digest says. By default in the last layer. */
export async function corruptBlob(
  { folder, layers }: OciLayout,
  digest = layers.at(-1)!.digest,
): Promise<void> {
  const path = blobFile(folder, digest);
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
}

/**
 * Entries that reach for `victim`, an absolute path outside the root filesystem, in every way known: through "..", as an
 * absolute path, through symlinks that an earlier entry or an earlier layer made, and as a hard link.
 */
export function escapingLayers(victim: string): TestImage {
  const folderOf = victim.slice(0, victim.lastIndexOf("/"));
  const name = victim.slice(folderOf.length + 1);
  const content = "escaped";
  const upwards = `${"../".repeat(12)}${victim.slice(1)}`;
  const entries: TarEntry[] = [
    { kind: "file", path: upwards, content },
    { kind: "file", path: victim, content },
    { kind: "symlink", path: "absolute", target: folderOf },
    { kind: "file", path: `absolute/${name}`, content },
    { kind: "symlink", path: "relative", target: `${"../".repeat(12)}${folderOf.slice(1)}` },
    { kind: "file", path: `relative/${name}`, content },
    { kind: "hardlink", path: "linked", target: upwards },
    { kind: "file", path: "linked", content },
  ];
  return {
    entrypoint: ["/bin/true"],
    // One layer per entry reaches as far as an unpacker lets it; links of earlier layers are there by then.
    layers: [busyboxLayer(), ...entries.map((entry) => layerOf([entry]))],
  };
}

/** A layer of a few megabytes at the most that decompresses to one file of that many zero bytes. */
export function decompressionBomb(bytes: number): TestImage {
  const chunk = gzipSync(Buffer.alloc(BOMB_CHUNK), { level: 9 });
  const chunks = Math.ceil(bytes / BOMB_CHUNK);
  const header = tarHeader({ kind: "file", path: "zeros", content: "" }, chunks * BOMB_CHUNK);
  // gzip allows several streams in a row, so the zeros need compressing only once.
  const blob = Buffer.concat([gzipSync(header), ...Array<Buffer>(chunks).fill(chunk), gzipSync(END)]);
  return { entrypoint: ["/bin/true"], layers: [busyboxLayer(), dishonest({ blob })] };
}

const BOMB_CHUNK = 16 * 1024 * 1024;

/** A layer whose manifest claims that many bytes. */
export function hugeDeclaredLayer(bytes: number): TestImage {
  const layer = layerOf([{ kind: "file", path: "small", content: "small" }]);
  return { entrypoint: ["/bin/true"], layers: [busyboxLayer(), { ...layer, size: bytes }] };
}

/** A layer that is what its digest says, but not what the config says it unpacks to. */
export function wrongDiffId(): TestImage {
  const layer = layerOf([{ kind: "file", path: "small", content: "small" }]);
  return { entrypoint: ["/bin/true"], layers: [busyboxLayer(), dishonest(layer)] };
}

function dishonest({ blob }: Pick<OciLayer, "blob">): OciLayer {
  return { blob, digest: digestOf(blob), size: blob.length, diffId: digestOf(Buffer.from("another")) };
}
