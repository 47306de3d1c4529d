import { TerminalError } from "#kernel";
import { CommandError, runCommand } from "../command.ts";
import type { ImageReference } from "./reference.ts";

export interface SkopeoSettings {
  /** Registry credentials, in the file format of `skopeo login --authfile`. None are used unless given. */
  readonly authFile?: string;
}

/** What one run of skopeo may take. */
export interface SkopeoLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Largest blob it may write: a registry that sends more than it declared ends here. */
  readonly maxBlobBytes?: number;
}

/** What skopeo may write beside blobs, its own cache above all, and what a blob may grow when it compresses it. */
const SLACK_BYTES = 16 * 1024 * 1024;

/**
 * skopeo, which speaks with registries for us. What it checks (1.9): blobs against the digests in the manifest, and a
 * manifest copied by digest. What it does not: `inspect --raw` by digest, and the manifest in an `oci:` layout; those
 * two are ours.
 */
export class Skopeo {
  readonly #settings: SkopeoSettings;

  constructor(settings: SkopeoSettings) {
    this.#settings = settings;
  }

  /** The manifest or index at a `docker://` address, as it is. */
  async inspectRaw(image: ImageReference, address: string, limits: SkopeoLimits): Promise<Buffer> {
    const access = this.#access(image, "");
    const { stdout } = await this.#run(image, ["inspect", "--raw", ...access, address], limits);
    return Buffer.from(stdout);
  }

  /**
   * Copies one image into the OCI layout `layout` of the folder `stage`, under the name `image`; blobs that lie there
   * already are not fetched. Paths are relative to `stage`: skopeo and umoci cannot name one with a `:` in it.
   */
  async copy(image: ImageReference, from: string, stage: string, limits: SkopeoLimits): Promise<void> {
    const access = image.kind === "registry" ? this.#access(image, "src-") : [];
    await this.#run(image, ["copy", "--quiet", ...access, from, "oci:layout:image"], limits, stage);
  }

  /** Says what would be guessed from files elsewhere on this host otherwise. `prefix` as `copy` spells its options. */
  #access(image: ImageReference, prefix: string): string[] {
    const { authFile } = this.#settings;
    const plainHttp = image.kind === "registry" && image.plainHttp;
    return [
      `--${prefix}tls-verify=${!plainHttp}`,
      ...(authFile === undefined
        ? [`--${prefix}no-creds`]
        : [`--${prefix === "" ? "" : prefix}authfile=${authFile}`]),
    ];
  }

  async #run(image: ImageReference, args: string[], limits: SkopeoLimits, cwd = "/") {
    const { signal, timeoutMs, maxBlobBytes = 0 } = limits;
    // Dies with us (setpriv), so that nothing is still writing when the next agent sweeps what a killed one left.
    const fence = ["setpriv", "--pdeathsig", "KILL", "prlimit", `--fsize=${maxBlobBytes + SLACK_BYTES}`];
    try {
      return await runCommand([...fence, "skopeo", "--insecure-policy", ...args], { signal, timeoutMs, cwd });
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof CommandError ? explain(image, error) : error;
    }
  }
}

/** What skopeo's last words mean, in the order in which they are looked for. */
const MEANINGS: readonly { said: RegExp; code: string; means: (image: ImageReference) => string }[] = [
  {
    said: /no space left on device/,
    code: "disk_full",
    means: () => "cannot be stored: the disk is full. Free some space on this host or remove unused images.",
  },
  {
    said: /manifest unknown|name unknown|repository name not known|status: 404|reading manifest .*not found/i,
    code: "image_not_found",
    means: (image) => `is not there: check its name and ${image.digest === undefined ? "tag" : "digest"}.`,
  },
  {
    said: /unauthorized|(?<!permission )denied:|authentication required|status: 40[13]|no basic auth credentials/i,
    code: "unauthorized",
    means: () =>
      "is not open to this host: check its name, or give the registry's credentials in the authfile.",
  },
  {
    said: /does not match|did not match/,
    code: "image_invalid",
    means: () => "is not what its digests say: the registry serves wrong bytes. Push it again.",
  },
  {
    said: /file too large/,
    code: "image_invalid",
    means: () => "has a layer larger than its manifest declares. Push it again.",
  },
  {
    said: /invalid status code from registry 404/,
    code: "image_invalid",
    means: () => "is incomplete: the registry lacks one of its layers. Push it again.",
  },
  {
    said: /unsupported|invalid character|unmarshal|unknown media type|invalid (gzip|header)/i,
    code: "image_invalid",
    means: () => "is not an image that can be read.",
  },
];

/** One line that says what to do. Whatever is not understood counts as trouble on the way, worth another attempt. */
function explain(image: ImageReference, { reason, stderr }: CommandError): Error {
  if (reason === "missing") return new Error("skopeo cannot be run: is it installed?");
  if (reason === "too_much_output") {
    return new TerminalError("image_invalid", `Image ${image.text} has a manifest of more than 4 MiB.`);
  }
  if (reason === "timed_out") return new Error(`Image ${image.text}: the registry takes too long to answer.`);
  const words = lastWords(stderr);
  const meaning = MEANINGS.find(({ said }) => said.test(words));
  if (meaning !== undefined) {
    return new TerminalError(meaning.code, `Image ${image.text} ${meaning.means(image)}`);
  }
  return new Error(`Image ${image.text} cannot be fetched now: ${words || "skopeo ended without a word"}`);
}

/** The message of skopeo's last log line, `time="…" level=fatal msg="…"`, without what it repeats of the command. */
function lastWords(stderr: string): string {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  const message = /msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  const text = message === undefined ? line : unquote(message);
  return text.replace(/^Error parsing image name "[^"]*": /, "").slice(0, 300);
}

function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
