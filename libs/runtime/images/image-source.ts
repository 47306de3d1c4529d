import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TerminalError } from "#kernel";
import {
  type Descriptor,
  digestOf,
  indexSchema,
  invalidImage,
  type Manifest,
  parseManifest,
} from "./manifest.ts";
import type { ImageReference, LayoutReference, RegistryReference } from "./reference.ts";
import type { Skopeo, SkopeoLimits } from "./skopeo.ts";

/** An image as its source describes it, before any of its layers is here. */
export interface FoundImage {
  readonly digest: string;
  readonly manifest: Manifest;
  /** The manifest's own bytes: what the digest is of. */
  readonly bytes: Buffer;
}

/** Where images come from: finds one for this platform, then copies exactly that one. */
export interface ImageSource {
  find(limits: SkopeoLimits): Promise<FoundImage>;
  /** Copies into the OCI layout `stage/layout`. The folder is the caller's, who deletes it. */
  copy(found: FoundImage, stage: string, limits: SkopeoLimits): Promise<void>;
}

export function sourceOf(reference: ImageReference, skopeo: Skopeo): ImageSource {
  return reference.kind === "registry"
    ? new RegistrySource(reference, skopeo)
    : new LayoutSource(reference, skopeo);
}

type ReadManifest = (digest?: string) => Promise<Buffer>;

/** Follows one index at most: an index of indexes is no image. Every digest on the way is checked here. */
async function findImage(image: ImageReference, read: ReadManifest): Promise<FoundImage> {
  const first = await read(image.digest);
  const parsed = parseManifest(image.text, first);
  if ("manifest" in parsed) return { digest: digestOf(first), manifest: parsed.manifest, bytes: first };
  const bytes = await read(parsed.chosen.digest);
  const inner = parseManifest(image.text, bytes);
  if ("manifest" in inner) return { digest: parsed.chosen.digest, manifest: inner.manifest, bytes };
  throw invalidImage(image.text, "is an index of indexes");
}

function verified(image: ImageReference, digest: string | undefined, bytes: Buffer): Buffer {
  if (digest === undefined || digestOf(bytes) === digest) return bytes;
  throw invalidImage(
    image.text,
    `is not what its digest says: what calls itself ${digest} is something else`,
  );
}

class RegistrySource implements ImageSource {
  readonly #image: RegistryReference;
  readonly #skopeo: Skopeo;

  constructor(image: RegistryReference, skopeo: Skopeo) {
    this.#image = image;
    this.#skopeo = skopeo;
  }

  find(limits: SkopeoLimits): Promise<FoundImage> {
    return findImage(this.#image, async (digest) => {
      const address = `docker://${digest === undefined ? this.#image.text : `${this.#image.name}@${digest}`}`;
      return verified(this.#image, digest, await this.#skopeo.inspectRaw(this.#image, address, limits));
    });
  }

  copy(found: FoundImage, stage: string, limits: SkopeoLimits): Promise<void> {
    const from = `docker://${this.#image.name}@${found.digest}`;
    return this.#skopeo.copy(this.#image, from, stage, limits);
  }
}

class LayoutSource implements ImageSource {
  readonly #image: LayoutReference;
  readonly #skopeo: Skopeo;

  constructor(image: LayoutReference, skopeo: Skopeo) {
    this.#image = image;
    this.#skopeo = skopeo;
  }

  async find(_limits: SkopeoLimits): Promise<FoundImage> {
    const { digest } = await this.#entry();
    return findImage(this.#image, (inner) => this.#readManifest(inner ?? digest));
  }

  /** Copies from a layout that names what was found and nothing else: the given one may change meanwhile. */
  async copy(found: FoundImage, stage: string, limits: SkopeoLimits): Promise<void> {
    const source = join(stage, "source");
    await mkdir(source);
    await symlink(join(this.#image.path, "blobs"), join(source, "blobs"));
    await writeFile(join(source, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    const entry = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: found.digest,
      size: found.bytes.length,
      annotations: { [REF_NAME]: "image" },
    };
    await writeFile(join(source, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    return this.#skopeo.copy(this.#image, "oci:source:image", stage, limits);
  }

  async #entry(): Promise<Descriptor> {
    const { path, tag, text } = this.#image;
    const index = await readSmall(join(path, "index.json"));
    if (index === undefined) {
      throw new TerminalError("image_not_found", `Image ${text} is not there: ${path} is no OCI layout.`);
    }
    const { manifests } = parseIndex(text, index);
    const named = tag === undefined ? manifests : manifests.filter((m) => m.annotations?.[REF_NAME] === tag);
    if (named.length === 1) return named[0]!;
    const tags = manifests.flatMap((entry) => entry.annotations?.[REF_NAME] ?? []).join(", ") || "none";
    const advice = named.length === 0 ? "check its tag" : "name one by its tag";
    throw new TerminalError(
      "image_not_found",
      `Image ${text}: the layout has ${named.length} of that name (its tags: ${tags}); ${advice}.`,
    );
  }

  async #readManifest(digest: string): Promise<Buffer> {
    const bytes = await readSmall(join(this.#image.path, "blobs", digest.replace(":", "/")));
    if (bytes === undefined) throw invalidImage(this.#image.text, `is incomplete: ${digest} is missing`);
    return verified(this.#image, digest, bytes);
  }
}

const REF_NAME = "org.opencontainers.image.ref.name";
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

function parseIndex(text: string, bytes: Buffer) {
  try {
    return indexSchema.parse(JSON.parse(bytes.toString("utf8")));
  } catch {
    throw invalidImage(text, "has an index.json that is not one");
  }
}

/** A file's bytes, or undefined when there is none. Not for what could be a device or fill the memory. */
async function readSmall(path: string): Promise<Buffer | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size > MAX_MANIFEST_BYTES) return undefined;
  return readFile(path);
}
