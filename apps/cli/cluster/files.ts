import { readlinkSync, realpathSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/**
 * Writes a whole file or nothing: a temporary one beside it, synced, then renamed over it. Makes its folder. Leaves a
 * file alone that has that content already; returns whether it had not.
 */
export async function writeFileAtomic(path: string, content: string, mode: number): Promise<boolean> {
  if ((await readIfThere(path)) === content) return false;
  await makeFolder(dirname(path));
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return true;
}

/** A file's text; undefined when it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/**
 * Makes a folder that only its owner may enter, and those it is in. Not with `recursive`: where a file system refuses
 * to hold folders, as /proc does, that goes round for ever.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path).catch(() => undefined))?.isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/**
 * An absolute path without links in it, as far as it exists: one folder has one name, and it is by that name in their
 * arguments that running services are found.
 */
export function canonical(path: string, links = 8): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    if (parent === path) return path;
    const target = links === 0 ? undefined : linkTarget(path);
    if (target !== undefined) return canonical(resolve(canonical(parent), target), links - 1);
    return join(canonical(parent), basename(path));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
