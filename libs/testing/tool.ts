import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** A program that tests need: the one that set-up brought, else the one on the PATH. */
export function toolPath(name: string): string {
  const folders = [resolve(".drover/tools/bin"), ...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is missing: run ./drover test, it brings it`);
  return found;
}
