import { createHash } from "node:crypto";
import { type Clock, SystemClock, TerminalError } from "#kernel";
import { type ImageConfig, ImageStore, type PulledImage } from "./image-store.ts";
import { RecentClaims } from "./recent-claims.ts";
import { parseReference } from "./reference.ts";

/** A registry in memory, shared by the simulated stores of all hosts. */
export class SimulatedRegistry {
  readonly #images = new Map<string, PulledImage>();
  /** `down` refuses; `silent` does not answer until the caller gives up. */
  health: "up" | "down" | "silent" = "up";

  /** Makes a reference name an image; the same content and config have the same digest. Returns it. */
  publish(reference: string, content: string, config: Partial<ImageConfig> = {}): PulledImage {
    const whole: ImageConfig = { env: {}, entrypoint: [], cmd: [], workingDir: "/", user: "", ...config };
    const hash = createHash("sha256")
      .update(JSON.stringify([content, whole]))
      .digest("hex");
    const image = { digest: `sha256:${hash}`, config: whole, sizeBytes: content.length + 1 };
    this.#images.set(parseReference(reference).text, image);
    return image;
  }

  async find(reference: string, signal: AbortSignal): Promise<PulledImage> {
    const image = parseReference(reference);
    if (this.health === "down")
      throw new Error(`Image ${image.text} cannot be fetched now: connection refused`);
    if (this.health === "silent") return silence(signal);
    const found =
      this.#images.get(image.text) ??
      [...this.#images.values()].find(({ digest }) => digest === image.digest);
    if (found !== undefined) return found;
    throw new TerminalError("image_not_found", `Image ${image.text} is not there.`);
  }
}

/** An image store in memory. Two of them over the same `ImagesOnDisk` are one before and after a restart. */
export class SimulatedImageStore extends ImageStore {
  readonly #registry: SimulatedRegistry;
  readonly #disk: ImagesOnDisk;
  readonly #claims: RecentClaims;

  constructor(registry: SimulatedRegistry, disk = new ImagesOnDisk(), clock: Clock = new SystemClock()) {
    super();
    this.#claims = new RecentClaims(clock);
    this.#registry = registry;
    this.#disk = disk;
  }

  override async pull(reference: string, signal: AbortSignal): Promise<PulledImage> {
    signal.throwIfAborted();
    const { text, digest } = parseReference(reference);
    const named = digest ?? this.#disk.names.get(text);
    const cached = named === undefined ? undefined : this.#disk.images.get(named);
    if (cached !== undefined && (digest !== undefined || this.#registry.health !== "up"))
      return this.#take(text, cached);
    return this.#take(text, await this.#registry.find(reference, signal));
  }

  override async load(digest: string): Promise<PulledImage | undefined> {
    return this.#disk.images.get(digest);
  }

  override rootfsOf(digest: string): string {
    return `/simulated/images/${digest.slice("sha256:".length)}`;
  }

  override async prune(keep: Iterable<string>): Promise<void> {
    const kept = new Set(keep);
    for (const digest of this.#disk.images.keys()) {
      if (!kept.has(digest) && !this.#claims.has(digest)) this.#disk.images.delete(digest);
    }
  }

  #take(text: string, image: PulledImage): PulledImage {
    this.#claims.add(image.digest);
    this.#disk.images.set(image.digest, image);
    this.#disk.names.set(text, image.digest);
    return image;
  }
}

/** What survives a restart of the simulated store's process. */
export class ImagesOnDisk {
  readonly images = new Map<string, PulledImage>();
  readonly names = new Map<string, string>();
}

function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
