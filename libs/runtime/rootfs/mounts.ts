import { readFile, realpath } from "node:fs/promises";
import { CommandError, runCommand } from "../command.ts";

/** Mount points at `path` and below it, in the order in which they were mounted. One that is stacked is there twice. */
export async function mountsUnder(path: string): Promise<string[]> {
  const real = await realpath(path).catch(() => path); // the kernel names mount points without symlinks
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const points = lines.flatMap((line) => line.split(" ")[4] ?? []).map(decodeOctal);
  return points.filter((point) => point === real || point.startsWith(`${real}/`));
}

/** Unmounts all that is mounted at `path` and below it. Rejects when something is in use. */
export async function unmountUnder(path: string, signal?: AbortSignal): Promise<void> {
  for (const point of (await mountsUnder(path)).reverse()) {
    try {
      await runCommand(["umount", "--no-canonicalize", "--", point], signal === undefined ? {} : { signal });
    } catch (error) {
      const gone = error instanceof CommandError && /not mounted|no mount point/.test(error.stderr);
      if (!gone) throw error;
    }
  }
}

/** The kernel writes blanks and the like as three octal digits. */
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
