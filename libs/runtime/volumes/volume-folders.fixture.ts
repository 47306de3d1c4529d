import { mkdtemp, open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ifMissing } from "../files.ts";
import type { VolumeStore } from "./volume-store.ts";

/** A folder whose name breaks what can be broken by a name. */
export async function oddFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "drover völumes:a,b="));
}

/** Writes a file of a volume to the disk, all of it. */
export async function writeTo(
  store: VolumeStore,
  volumeId: string,
  name: string,
  content: string,
): Promise<void> {
  const file = await open(join(store.pathOf(volumeId), name), "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function readFrom(
  store: VolumeStore,
  volumeId: string,
  name: string,
): Promise<string | undefined> {
  return readFile(join(store.pathOf(volumeId), name), "utf8").catch(ifMissing(undefined));
}
