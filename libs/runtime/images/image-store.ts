/**
 * The images of this host. An image is known by the digest of its manifest for this platform; references (`nginx:1.27`,
 * `registry/name@sha256:…`, `oci:PATH[:TAG]`) are only ways to find one. Whatever a digest names was verified, is
 * complete and never changes (F36).
 */
export abstract class ImageStore {
  /**
   * Brings the image that `reference` names onto this host, unpacked, and says what it is. Idempotent; concurrent pulls
   * of one reference are one pull. A digest that is here already is never asked for again. A tag is asked for, but when
   * the registry cannot be reached the image it last named serves instead.
   *
   * Rejects with `TerminalError` of code `image_not_found`, `image_invalid`, `unauthorized` or `disk_full`; with any
   * other error when another attempt may succeed (network trouble, a silent registry); with the signal's reason when
   * that fires and nobody else waits for the same pull.
   */
  abstract pull(reference: string, signal: AbortSignal): Promise<PulledImage>;

  /** What a pull said of this digest, or undefined when the image is not on this host. */
  abstract load(digest: string): Promise<PulledImage | undefined>;

  /** Directory with the unpacked files of an image that is here: the read-only lower layer of a machine's rootfs. */
  abstract rootfsOf(digest: string): string;

  /**
   * Deletes all images but these, those being pulled and those pulled within the last minute: their pullers may not have
   * said yet that they need them. The caller knows which ones machines use.
   */
  abstract prune(keep: Iterable<string>): Promise<void>;
}

export interface PulledImage {
  /** `sha256:<64 hex>` of the manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
  /** Bytes of all its layers, decompressed. */
  readonly sizeBytes: number;
}

/** How the image wants its process run, unless the machine's config says otherwise. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Absolute; "/" when the image names none. */
  readonly workingDir: string;
  /** `user[:group]` by name or number as the image gives it; "" means root. */
  readonly user: string;
  /** As the image gives it, e.g. `SIGQUIT` or `3`. */
  readonly stopSignal?: string;
}
