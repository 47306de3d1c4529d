import { runCommand } from "./command.ts";

const TIMEOUT_MS = 120_000;

/**
 * Deletes a folder whose content strangers wrote: nested deeper than a path may be long, perhaps, which Node's own `rm`
 * cannot delete. Never reaches into another filesystem: what is mounted below makes it reject.
 */
export async function removeTree(path: string, signal?: AbortSignal): Promise<void> {
  await runCommand(["rm", "-rf", "--one-file-system", "--", path], {
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
}
