import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { join, normalize } from "node:path";

const MAX_LINKS = 40;

/**
 * Where `path` leads inside a root filesystem that we do not trust, links followed as if `root` were "/": never out of
 * it. Only for a filesystem that no process of its machine is changing meanwhile.
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  const pending = normalize(`/${path}`).split("/").filter(Boolean);
  let inside: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const name = pending.shift()!;
    if (name === ".") continue;
    if (name === "..") {
      inside.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...inside, name));
    if (target === undefined) {
      inside.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Error(`too many links in ${path}`);
    if (target.startsWith("/")) inside = [];
    pending.unshift(...target.split("/").filter(Boolean));
  }
  return join(root, ...inside);
}

/** The text of a regular file inside an untrusted root; undefined when there is none. Throws when it is larger than `maxBytes`. */
export async function readInRoot(root: string, path: string, maxBytes: number): Promise<string | undefined> {
  const file = await resolveInRoot(root, path);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    if (stats.size > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isSymbolicLink() ? readlink(path) : undefined;
}
