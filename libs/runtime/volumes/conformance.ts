import { runCommand } from "../command.ts";
import type { VolumeStore } from "./volume-store.ts";

/** Names of the check's own volumes and snapshot: no id of Drover's looks like them. */
const ORIGINAL = "conformance";
const COPY = "conformance_copy";
const MIB = 1024 * 1024;
const SIZE_BYTES = 8 * MIB;

/** Whether it belongs to the conformance check: it is nobody's, and counted by nobody. */
export function isScratch(id: string): boolean {
  return id === ORIGINAL || id === COPY;
}

/**
 * Does with a store all that a volume needs of it, and removes what it made (F26). Throws what did not go as it must.
 * Files are touched by child processes: see `Btrfs`.
 */
export async function checkConformance(store: VolumeStore, signal: AbortSignal): Promise<void> {
  await sweep(store, signal);
  await store.create(ORIGINAL, SIZE_BYTES, signal);
  const note = `${store.pathOf(ORIGINAL)}/note`;
  await write(note, "before", signal);
  if (store.abilities.hardLimit) await checkLimit(store, signal);
  await store.snapshot(ORIGINAL, ORIGINAL, signal);
  await write(note, "after", signal);
  await store.restore(ORIGINAL, COPY, SIZE_BYTES, signal);
  const { stdout } = await runCommand(["cat", `${store.pathOf(COPY)}/note`], { signal });
  if (stdout !== "before") throw new Error(`a restored volume holds ${JSON.stringify(stdout.slice(0, 40))}`);
  const { totalBytes } = await store.usage(COPY, signal);
  if (totalBytes !== SIZE_BYTES) throw new Error(`a volume of ${SIZE_BYTES} bytes says ${totalBytes}`);
  await sweep(store, signal);
}

/** A volume takes what is less than its size and not what is more. */
async function checkLimit(store: VolumeStore, signal: AbortSignal): Promise<void> {
  const file = `${store.pathOf(ORIGINAL)}/fill`;
  const fill = (bytes: number) =>
    runCommand(
      ["dd", "if=/dev/zero", `of=${file}`, `bs=${MIB}`, `count=${bytes / MIB}`, "conv=fsync", "status=none"],
      {
        signal,
      },
    );
  await fill(SIZE_BYTES / 2);
  const isHeld = await fill(2 * SIZE_BYTES).then(
    () => false,
    (error: Error) => /quota exceeded|no space left/i.test(error.message) || Promise.reject(error),
  );
  if (!isHeld) throw new Error("a volume takes more than its size");
  await runCommand(["rm", "--", file], { signal });
}

async function write(file: string, text: string, signal: AbortSignal): Promise<void> {
  await runCommand(["dd", `of=${file}`, "conv=fsync", "status=none"], { input: text, signal });
}

async function sweep(store: VolumeStore, signal: AbortSignal): Promise<void> {
  await store.remove(COPY, signal);
  await store.removeSnapshot(ORIGINAL, signal);
  await store.remove(ORIGINAL, signal);
}
