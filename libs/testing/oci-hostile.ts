import { gzipSync } from "node:zlib";
import { busyboxLayer, digestOf, END, layerOf, type SmallImage, tarHeader } from "#small-image";

/** Images that are not what they say, for F36. */

/** A layer of a few megabytes at the most that decompresses to one file of that many zero bytes. */
export function decompressionBomb(bytes: number): SmallImage {
  const chunk = gzipSync(Buffer.alloc(BOMB_CHUNK), { level: 9 });
  const chunks = Math.ceil(bytes / BOMB_CHUNK);
  const header = tarHeader({ kind: "file", path: "zeros", content: "" }, chunks * BOMB_CHUNK);
  // gzip allows several streams in a row, so the zeros need compressing only once.
  const blob = Buffer.concat([gzipSync(header), ...Array<Buffer>(chunks).fill(chunk), gzipSync(END)]);
  return {
    entrypoint: ["/bin/true"],
    layers: [busyboxLayer(), { blob, digest: digestOf(blob), size: blob.length, diffId: UNKNOWN }],
  };
}

/** Hashing what it decompresses to would take as long as any victim; no unpacker should get that far. */
const UNKNOWN = digestOf(Buffer.from("never unpacked"));

const BOMB_CHUNK = 16 * 1024 * 1024;

/** A layer whose manifest claims that many bytes. */
export function hugeDeclaredLayer(bytes: number): SmallImage {
  const layer = layerOf([{ kind: "file", path: "small", content: "small" }]);
  return { entrypoint: ["/bin/true"], layers: [busyboxLayer(), { ...layer, size: bytes }] };
}
