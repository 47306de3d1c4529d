import { isIPv4 } from "node:net";
import { isAbsolute } from "node:path";
import { TerminalError } from "#kernel";

/** Where an image is to be found. `text` is its one canonical spelling: equal texts name the same image. */
export type ImageReference = RegistryReference | LayoutReference;

export interface RegistryReference {
  readonly kind: "registry";
  readonly text: string;
  /** `host[:port]` of the registry. */
  readonly registry: string;
  /** Registry and repository, without tag and digest. */
  readonly name: string;
  /** Given: the reference names one image for ever. */
  readonly digest?: string;
  /** Plain HTTP is for registries on this host only. */
  readonly plainHttp: boolean;
}

export interface LayoutReference {
  readonly kind: "layout";
  readonly text: string;
  /** Absolute path of an OCI layout's directory. */
  readonly path: string;
  /** Not given: the layout has to hold one image. */
  readonly tag?: string;
  readonly digest?: undefined;
}

const DEFAULT_REGISTRY = "docker.io";
const MAX_LENGTH = 1024;
/** Docker's grammar: `[host[:port]/]path[:tag][@sha256:hex]`. */
const REFERENCE =
  /^(?<name>(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;
const LAYOUT_TAG = /^\w[\w.-]{0,127}$/;

/** Reads a reference as Docker does, or `oci:PATH[:TAG]`. Throws `TerminalError("image_invalid")`. */
export function parseReference(text: string): ImageReference {
  if (text.length > MAX_LENGTH || hasControlCharacters(text)) throw invalid(text.slice(0, 80));
  return text.startsWith("oci:") ? parseLayout(text) : parseRegistry(text);
}

function parseLayout(text: string): LayoutReference {
  const [path = "", tag, ...rest] = text.slice("oci:".length).split(":");
  if (rest.length > 0 || (tag !== undefined && !LAYOUT_TAG.test(tag))) throw invalid(text);
  if (!isAbsolute(path)) {
    throw new TerminalError("image_invalid", `Image ${text}: give the layout's folder as an absolute path.`);
  }
  return { kind: "layout", text, path, ...(tag === undefined ? {} : { tag }) };
}

function parseRegistry(text: string): RegistryReference {
  const parts = REFERENCE.exec(text)?.groups;
  if (parts === undefined) throw invalid(text);
  const { registry, repository } = splitName(parts.name!);
  const name = `${registry}/${repository}`;
  const { digest } = parts;
  const version = digest === undefined ? `:${parts.tag ?? "latest"}` : `@${digest}`;
  return {
    kind: "registry",
    text: `${name}${version}`,
    registry,
    name,
    plainHttp: isLoopback(registry),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The first part is a host only when it looks like one; Docker Hub's own images live under `library/`. */
function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  if (first === "localhost" || /[.:]/.test(first)) {
    if (first !== "index.docker.io" && first !== DEFAULT_REGISTRY) {
      return { registry: first, repository: name.slice(slash + 1) };
    }
    return splitName(name.slice(slash + 1));
  }
  return { registry: DEFAULT_REGISTRY, repository: slash < 0 ? `library/${name}` : name };
}

function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return host === "localhost" || (isIPv4(host) && host.startsWith("127."));
}

function hasControlCharacters(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}

function invalid(text: string): TerminalError {
  return new TerminalError(
    "image_invalid",
    `"${text}" is no image reference: write name:tag, registry/name@sha256:… or oci:/path[:tag].`,
  );
}
