import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** A program that tests need: the one that set-up brought, else the one on the PATH. */
export function toolPath(name: string): string {
  const found = findTool(name);
  if (found === undefined) throw new Error(`${name} is missing: run ./drover test, it brings it`);
  return found;
}

/** Likewise; undefined where it is not installed. */
export function findTool(name: string): string | undefined {
  const folders = [resolve(".drover/tools/bin"), ...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
