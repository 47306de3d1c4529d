import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Absent where it would not be shorter. */
  readonly gzipped?: Buffer;
  /** Its name changes with its content. */
  readonly isHashed: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
};
const SHRINKS = /^text\/|json$|svg\+xml$/;
const inGzip = promisify(gzip);

/**
 * The built page. All of it is read once, with the first request for any of it: a name that was not there then is no file,
 * whatever it looks like, and a build under a running API cannot mix two pages.
 */
export class ConsolePage {
  readonly #folder: string;
  #files: Promise<ReadonlyMap<string, PageFile>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** By its path below the page: "index.html", "assets/….js". Undefined when there is no such file. */
  async file(path: string): Promise<PageFile | undefined> {
    this.#files ??= read(this.#folder);
    const files = await this.#files;
    // Not built, so far.
    if (files.size === 0) this.#files = undefined;
    return files.get(path);
  }
}

async function read(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  const files = paths.map(
    async (path) => [relative(folder, path), await readPageFile(folder, path)] as const,
  );
  return new Map(await Promise.all(files));
}

async function readPageFile(folder: string, path: string): Promise<PageFile> {
  const body = await readFile(path);
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  const gzipped = SHRINKS.test(type) ? await inGzip(body) : undefined;
  const isHashed = relative(folder, path).startsWith("assets/");
  return {
    type,
    body,
    isHashed,
    ...(gzipped !== undefined && gzipped.length < body.length ? { gzipped } : {}),
  };
}
