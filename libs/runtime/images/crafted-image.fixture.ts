import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { digestOf, layerOf, type OciLayer, type TarEntry } from "#testing";
import { ARCHITECTURE } from "./manifest.ts";

/** An image in all its documents, also such as no honest builder writes. */
export interface CraftedImage {
  readonly digest: string;
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export interface Crafting {
  /** The config's part for the process. */
  readonly process?: Record<string, unknown>;
  readonly architecture?: string;
  readonly diffIds?: readonly string[];
  /** Docker's own format. */
  readonly docker?: boolean;
  /** Merged into each layer's descriptor. */
  readonly descriptor?: Record<string, unknown>;
}

/** A layer of one file, `content`. */
export function contentLayer(content: string | Buffer): OciLayer {
  return layerOf([{ kind: "file", path: "content", content }]);
}

/** A layer of one file by that name, for whiteouts and the like. */
export function emptyFile(path: string): TarEntry {
  return { kind: "file", path, content: "" };
}

/** A layer from a tar archive that is there already. */
export function archiveLayer(archive: Buffer): OciLayer {
  const blob = gzipSync(archive);
  return { blob, digest: digestOf(blob), size: blob.length, diffId: digestOf(archive) };
}

export function craftImage(layers: readonly OciLayer[], crafting: Crafting = {}): CraftedImage {
  const types = crafting.docker === true ? DOCKER : OCI;
  const config = json({
    os: "linux",
    architecture: crafting.architecture ?? ARCHITECTURE,
    config: crafting.process ?? {},
    rootfs: { type: "layers", diff_ids: crafting.diffIds ?? layers.map((layer) => layer.diffId) },
  });
  const documents = {
    config: { mediaType: types.config, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, size }) => ({
      mediaType: types.layer,
      digest,
      size,
      ...crafting.descriptor,
    })),
  };
  const manifest = json({ schemaVersion: 2, mediaType: types.manifest, ...documents });
  const blobs = new Map(layers.map(({ digest, blob }) => [digest, blob]));
  blobs.set(digestOf(config), config).set(digestOf(manifest), manifest);
  return { digest: digestOf(manifest), manifest, mediaType: types.manifest, blobs, ...documents };
}

/** An index that names one image per architecture. */
export function craftIndex(images: Readonly<Record<string, CraftedImage>>): CraftedImage {
  const entries = Object.entries(images).map(([architecture, image]) => ({
    ...entryOf(image),
    platform: { os: "linux", architecture },
  }));
  const manifest = json({ schemaVersion: 2, mediaType: OCI.index, manifests: entries });
  const blobs = new Map(Object.values(images).flatMap((image) => [...image.blobs]));
  blobs.set(digestOf(manifest), manifest);
  const [first] = Object.values(images);
  return { ...first!, digest: digestOf(manifest), manifest, mediaType: OCI.index, blobs };
}

/** Writes an OCI layout that holds the image under a tag. */
export async function writeLayout(dir: string, image: CraftedImage, tag: string): Promise<void> {
  await mkdir(join(dir, "blobs/sha256"), { recursive: true });
  for (const [name, bytes] of image.blobs) await writeFile(join(dir, "blobs", name.replace(":", "/")), bytes);
  await writeFile(join(dir, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  const entry = { ...entryOf(image), annotations: { "org.opencontainers.image.ref.name": tag } };
  await writeFile(join(dir, "index.json"), json({ schemaVersion: 2, manifests: [entry] }));
}

const OCI = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};
const DOCKER = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

function entryOf({ mediaType, digest, manifest }: CraftedImage) {
  return { mediaType, digest, size: manifest.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
