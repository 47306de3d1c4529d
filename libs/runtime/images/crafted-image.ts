import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ARCHITECTURE } from "./manifest.ts";

/** Images made byte by byte, for tests: also such as no honest builder makes. */
export interface CraftedImage {
  readonly digest: string;
  readonly manifest: Buffer;
  readonly mediaType: string;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export interface TarEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Type flag: "0" file, "1" hard link, "2" symbolic link, "3" and "4" devices, "5" folder, "x" PAX header. */
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly device?: readonly [number, number];
}

/** A tar archive with these entries exactly as given. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(tarEntry), Buffer.alloc(1024)]);
}

function tarEntry(entry: TarEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? "");
  const header = Buffer.alloc(512);
  const octal = (value: number, offset: number, width: number) =>
    header.write(value.toString(8).padStart(width - 1, "0"), offset);
  header.write(entry.name, 0, 100);
  octal(entry.mode ?? (entry.type === "5" ? 0o755 : 0o644), 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write(" ".repeat(8), 148);
  header.write(entry.type ?? "0", 156);
  header.write(entry.link ?? "", 157, 100);
  header.write("ustar\u000000", 257);
  octal(entry.device?.[0] ?? 0, 329, 8);
  octal(entry.device?.[1] ?? 0, 337, 8);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    8,
  );
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

export interface Crafting {
  readonly config?: Record<string, unknown>;
  readonly architecture?: string;
  readonly diffIds?: readonly string[];
  readonly docker?: boolean;
  /** Merged into each layer's descriptor. */
  readonly layer?: Record<string, unknown>;
}

/** An image of these layers (tar archives). */
export function craftImage(layers: readonly Buffer[], crafting: Crafting = {}): CraftedImage {
  const blobs = new Map<string, Buffer>();
  const describe = (mediaType: string, bytes: Buffer) => {
    blobs.set(digest(bytes), bytes);
    return { mediaType, digest: digest(bytes), size: bytes.length };
  };
  const types = crafting.docker === true ? DOCKER : OCI;
  const config = {
    os: "linux",
    architecture: crafting.architecture ?? ARCHITECTURE,
    config: crafting.config ?? {},
    rootfs: { type: "layers", diff_ids: crafting.diffIds ?? layers.map(digest) },
  };
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: describe(types.config, json(config)),
    layers: layers.map((layer) => ({ ...describe(types.layer, gzipSync(layer)), ...crafting.layer })),
  });
  blobs.set(digest(manifest), manifest);
  return { digest: digest(manifest), manifest, mediaType: types.manifest, blobs };
}

/** An index that names one image per platform. */
export function craftIndex(images: Readonly<Record<string, CraftedImage>>): CraftedImage {
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI.index,
    manifests: Object.entries(images).map(([architecture, image]) => ({
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.manifest.length,
      platform: { os: "linux", architecture },
    })),
  });
  const blobs = new Map(Object.values(images).flatMap((image) => [...image.blobs]));
  blobs.set(digest(manifest), manifest);
  return { digest: digest(manifest), manifest, mediaType: OCI.index, blobs };
}

/** Writes an OCI layout that holds the image under a tag. */
export async function writeLayout(dir: string, image: CraftedImage, tag: string): Promise<void> {
  await mkdir(join(dir, "blobs/sha256"), { recursive: true });
  for (const [name, bytes] of image.blobs) await writeFile(join(dir, "blobs", name.replace(":", "/")), bytes);
  await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const entry = {
    mediaType: image.mediaType,
    digest: image.digest,
    size: image.manifest.length,
    annotations: { "org.opencontainers.image.ref.name": tag },
  };
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

function digest(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
