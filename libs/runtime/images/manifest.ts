import { createHash } from "node:crypto";
import { z } from "zod";
import { TerminalError } from "#kernel";
import type { ImageConfig } from "./image-store.ts";

/** The JSON documents of an image, as the OCI image specification and Docker's schema 2 have them. */

export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: digestSchema,
  size: z.number().int().min(0),
  urls: z.array(z.string()).optional(),
});
export type Descriptor = z.infer<typeof descriptorSchema>;

const platformSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

export const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(
    descriptorSchema.extend({
      platform: platformSchema.optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(500),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Go writes an empty list as null. */
const words = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const configSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  config: z
    .object({
      Env: words,
      Entrypoint: words,
      Cmd: words,
      WorkingDir: z.string().optional(),
      User: z.string().optional(),
      StopSignal: z.string().optional(),
    })
    .nullish(),
});

/** Docker's name for the processor that Node calls otherwise. */
export const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

const CONFIG_TYPES = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];
const LAYER_TYPES =
  /^application\/vnd\.(oci\.image\.layer\.v1\.tar(\+gzip)?|docker\.image\.rootfs\.diff\.tar(\.gzip)?)$/;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** `sha256:<hex>` of these bytes. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function invalidImage(image: string, why: string): TerminalError {
  return new TerminalError("image_invalid", `Image ${image} ${why}.`);
}

/** The manifest that these bytes are, or of an index the descriptor of the one for this platform. */
export function parseManifest(image: string, bytes: Buffer): { chosen: Descriptor } | { manifest: Manifest } {
  const json = parseJson(image, bytes);
  if (typeof json === "object" && json !== null && "manifests" in json) {
    return { chosen: chooseForPlatform(image, parseAs(image, indexSchema, json).manifests) };
  }
  const manifest = parseAs(image, manifestSchema, json);
  assertContainerImage(image, manifest);
  return { manifest };
}

/** Of an index's entries the one for this host. Throws `image_invalid`, naming what there is instead. */
export function chooseForPlatform(
  image: string,
  entries: z.infer<typeof indexSchema>["manifests"],
): Descriptor {
  const fitting = entries.filter(
    ({ platform }) => platform?.os === "linux" && platform.architecture === ARCHITECTURE,
  );
  // amd64/v2 and the like ask for more than every such processor has
  const chosen = fitting.find(({ platform }) => platform?.variant === undefined) ?? fitting[0];
  if (chosen !== undefined) return chosen;
  const offered = entries.flatMap(({ platform }) =>
    platform === undefined || platform.os === "unknown" ? [] : [`${platform.os}/${platform.architecture}`],
  );
  throw invalidImage(
    image,
    `has no linux/${ARCHITECTURE} variant, only ${[...new Set(offered)].join(", ") || "unnamed ones"}`,
  );
}

/** Bytes that the manifest says must be fetched. */
export function declaredBytes(manifest: Manifest): number {
  return manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
}

/** The config blob as this host needs it. Throws `image_invalid` for another platform's. */
export function parseConfig(image: string, bytes: Buffer): ImageConfig {
  const { os, architecture, config } = parseAs(image, configSchema, parseJson(image, bytes));
  if (os !== "linux" || architecture !== ARCHITECTURE) {
    throw invalidImage(image, `is for ${os}/${architecture}, this host runs linux/${ARCHITECTURE}`);
  }
  const workingDir = config?.WorkingDir ?? "";
  return {
    env: parseEnv(config?.Env ?? []),
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
    workingDir: workingDir.startsWith("/") ? workingDir : `/${workingDir}`,
    user: config?.User ?? "",
    ...(config?.StopSignal === undefined ? {} : { stopSignal: config.StopSignal }),
  };
}

function assertContainerImage(image: string, { config, layers }: Manifest): void {
  if (!CONFIG_TYPES.includes(config.mediaType)) {
    throw invalidImage(image, `is no container image but ${config.mediaType}`);
  }
  if (config.size > MAX_CONFIG_BYTES) throw invalidImage(image, `has a config of ${config.size} bytes`);
  for (const { mediaType, urls } of layers) {
    // A layer's own addresses would be fetched from this host's network, whatever they point to.
    if (urls !== undefined && urls.length > 0) {
      throw invalidImage(image, "has a layer that lies outside its registry: push it with all its layers");
    }
    if (!LAYER_TYPES.test(mediaType)) {
      throw invalidImage(image, `has a layer of type ${mediaType}: push it with gzip compressed layers`);
    }
  }
}

function parseEnv(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const equals = entry.indexOf("=");
      return equals > 0 ? [[entry.slice(0, equals), entry.slice(equals + 1)]] : [];
    }),
  );
}

function parseJson(image: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalidImage(image, "is described by what is not JSON: is that address a registry's?");
  }
}

function parseAs<S extends z.ZodType>(image: string, schema: S, json: unknown): z.infer<S> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw invalidImage(image, `is malformed at "${path.join(".")}": ${message}`);
}
