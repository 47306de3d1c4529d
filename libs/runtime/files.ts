import { readdir, readFile, rename, writeFile } from "node:fs/promises";

/** Names in a folder; none when there is no such folder. */
export async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch(ifMissing([]));
}

/** A file's text; undefined when there is no such file. */
export async function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(ifMissing(undefined));
}

/** Writes a file so that whoever reads it, also after our death, finds all of it or what was there before. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text);
  await rename(`${file}.tmp`, file);
}

/** For `catch`: `value` in place of the error that says that something does not exist. */
export function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return value;
    throw error;
  };
}
