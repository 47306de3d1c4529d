import { access, link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { RefusedError, refusal } from "#kernel";

/** Throws a refusal where a file is there already. */
export async function assertFree(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw alreadyThere(path);
}

/**
 * Writes a file so that it is there whole or not at all, whatever ends this in between. `isForced`: it takes the place of one
 * that is there.
 */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<string> | Iterable<string>,
  isForced: boolean,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  const forget = () => rm(draft, { force: true });
  // An interrupt ends the process at once: what is half written goes first.
  const interrupted = () => void forget().finally(() => process.exit(130));
  process.once("SIGINT", interrupted);
  try {
    const file = await open(draft, "w", 0o600);
    try {
      for await (const piece of pieces) await file.write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    if (isForced) await rename(draft, path);
    else await link(draft, path);
  } catch (thrown) {
    throw (thrown as NodeJS.ErrnoException).code === "EEXIST" ? alreadyThere(path) : thrown;
  } finally {
    process.off("SIGINT", interrupted);
    await forget();
  }
}

function alreadyThere(path: string): RefusedError {
  return new RefusedError(
    refusal("already_exists", `${path} is there already: name another, or add --force`),
  );
}
