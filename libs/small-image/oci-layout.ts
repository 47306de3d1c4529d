import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { type TarEntry, tar } from "./tar.ts";

/** A small image: busybox with its everyday applets, users root and app (1000), and what is asked for on top. */
export interface SmallImage {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly user?: string;
  readonly stopSignal?: string;
  /** A second layer. */
  readonly files?: readonly TarEntry[];
  /** All layers, instead of busybox and `files`. */
  readonly layers?: readonly OciLayer[];
}

/** A layer as the manifest tells of it; an honest one is made by `layerOf`. */
export interface OciLayer {
  readonly blob: Buffer;
  /** Digest of the blob, "sha256:…". */
  readonly digest: string;
  readonly size: number;
  /** Digest of the uncompressed archive. */
  readonly diffId: string;
}

/** An OCI layout on disk with one image. */
export interface OciLayout {
  /** Absolute. */
  readonly folder: string;
  /** What a machine's config names it by, "oci:…". */
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly layers: readonly OciLayer[];
}

/**
 * Writes the image as a layout into a folder, which it makes. The same image has the same digest every time. `busybox`:
 * where that program is, when not where set-up puts it below the working directory.
 */
export async function writeOciLayout(
  folder: string,
  image: SmallImage,
  busybox?: string,
): Promise<OciLayout> {
  const path = resolve(folder);
  await mkdir(join(path, "blobs/sha256"), { recursive: true });
  const layers = image.layers ?? [
    busyboxLayer(busybox),
    ...(image.files === undefined ? [] : [layerOf(image.files)]),
  ];
  const config = json(configOf(image, layers));
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe("application/vnd.oci.image.config.v1+json", digestOf(config), config.length),
    layers: layers.map(({ digest, size }) =>
      describe("application/vnd.oci.image.layer.v1.tar+gzip", digest, size),
    ),
  });
  const digest = digestOf(manifest);
  const index = json({ schemaVersion: 2, manifests: [describe(MANIFEST, digest, manifest.length)] });
  const blobs = [...layers, { digest: digestOf(config), blob: config }, { digest, blob: manifest }];
  await Promise.all([
    ...blobs.map((blob) => writeFile(blobFile(path, blob.digest), blob.blob)),
    writeFile(join(path, "oci-layout"), json({ imageLayoutVersion: "1.0.0" })),
    writeFile(join(path, "index.json"), index),
  ]);
  return { folder: path, reference: `oci:${path}`, digest, layers };
}

/** Where a layout keeps a blob. */
function blobFile(folder: string, digest: string): string {
  return join(folder, "blobs", digest.replace(":", "/"));
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function layerOf(entries: readonly TarEntry[]): OciLayer {
  const archive = tar(entries);
  const blob = gzipSync(archive, { level: 1 });
  return { blob, digest: digestOf(blob), size: blob.length, diffId: digestOf(archive) };
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Docker's name for the processor that Node calls otherwise. */
const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

function configOf(image: SmallImage, layers: readonly OciLayer[]) {
  return {
    created: "1970-01-01T00:00:00Z",
    os: "linux",
    architecture: ARCHITECTURE,
    config: {
      Env: Object.entries({ PATH: "/bin", ...image.env }).map(([name, value]) => `${name}=${value}`),
      Entrypoint: image.entrypoint,
      Cmd: image.cmd,
      WorkingDir: image.workingDir,
      User: image.user,
      StopSignal: image.stopSignal,
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
  };
}

function describe(mediaType: string, digest: string, size: number) {
  return { mediaType, digest, size };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

let busybox: OciLayer | undefined;

/** Compressing busybox takes longer than all the rest, so a process does it once. */
export function busyboxLayer(program = findBusybox()): OciLayer {
  busybox ??= layerOf([
    ...["bin", "dev", "etc", "home", "proc", "root", "sys", "var", "www"].map(folder),
    { ...folder("tmp"), mode: 0o1777 },
    { ...folder("home/app"), owner: 1000 },
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n"),
    file("etc/group", "root:x:0:\napp:x:1000:\n"),
    { kind: "file", path: "bin/busybox", content: readFileSync(program), mode: 0o755 },
    ...APPLETS.map((name): TarEntry => ({ kind: "symlink", path: `bin/${name}`, target: "busybox" })),
  ]);
  return busybox;
}

/** Set-up brings it to the first of these when a command needs it. */
const BUSYBOX_PLACES = [".drover/tools/bin/busybox", "/bin/busybox", "/usr/bin/busybox"];

function findBusybox(): string {
  const found = BUSYBOX_PLACES.map((place) => resolve(place)).find((place) => existsSync(place));
  if (found === undefined) throw new Error("busybox is missing: install Debian's busybox-static");
  return found;
}

function folder(path: string): TarEntry {
  return { kind: "folder", path };
}

function file(path: string, content: string): TarEntry {
  return { kind: "file", path, content };
}

const APPLETS =
  "arping awk basename cat chmod chown cp cut date dd df dirname du echo env expr false find free grep head hostname httpd id ifconfig ip kill ln ls md5sum mkdir mktemp mount mv nc netstat nproc nslookup od ping printf ps pwd readlink rm rmdir route sed seq sh sha256sum sleep sort stat stty sync tail tar tee telnet test timeout top touch tr true tty umount uname uniq wc wget which whoami xargs yes".split(
    " ",
  );
