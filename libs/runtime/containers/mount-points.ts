import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { TerminalError } from "#kernel";
import { ifMissing } from "../files.ts";
import type { LaunchMount } from "./container-runtime.ts";

/** Folders of the guest that the kernel fills. */
const KERNEL_FOLDERS = ["proc", "sys", "dev"];

/**
 * Makes the folders that mounts go onto. A guest that ran before may have made links of them: none is followed, so that
 * a mount lands where the machine's config says or nowhere. Only for a root filesystem that no process is changing
 * meanwhile. Throws `TerminalError` ("launch_failed") where a mount cannot go.
 */
export async function makeMountPoints(rootfs: string, mounts: readonly LaunchMount[]): Promise<void> {
  for (const { destination } of mounts) {
    let path = rootfs;
    for (const name of folderNamesOf(destination)) {
      path = join(path, name);
      await makeFolder(path, destination);
    }
  }
}

function folderNamesOf(destination: string): string[] {
  const names = destination.split("/").filter((name) => name !== "" && name !== ".");
  const isPlain = destination.startsWith("/") && !destination.includes("\0") && !names.includes("..");
  if (isPlain && names.length > 0 && !KERNEL_FOLDERS.includes(names[0]!)) return names;
  throw hopeless(destination, "choose an absolute path without '..', outside /proc, /sys and /dev");
}

async function makeFolder(path: string, destination: string): Promise<void> {
  const found = await lstat(path).catch(ifMissing(undefined));
  if (found === undefined) await mkdir(path, { mode: 0o755 });
  else if (!found.isDirectory())
    throw hopeless(destination, "something on the way is a link or a file in the machine's filesystem");
}

function hopeless(destination: string, why: string): TerminalError {
  return new TerminalError(
    "launch_failed",
    `Nothing can be mounted on ${destination.slice(0, 200)}: ${why}.`,
  );
}
