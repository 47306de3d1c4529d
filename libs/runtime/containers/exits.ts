import { type FSWatcher, watch } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { MachineExit } from "#contracts";
import { ifMissing, listFolder, readText } from "../files.ts";
import { startOfContainer } from "../names.ts";

/** What the monitor wrote about the end of a process. */
export interface ExitRecord {
  /** Exit code, or 128 and the number of the signal that ended it. */
  readonly status: number;
  readonly exitedAtMs: number;
}

/** The folder where monitors write one file per exit, named after the container. It outlives us and them. */
export class Exits {
  readonly folder: string;
  #watcher: FSWatcher | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read(containerId: string): Promise<ExitRecord | undefined> {
    const file = `${this.folder}/${containerId}`;
    const text = await readText(file);
    if (text === undefined || !/^\d+\s*$/.test(text)) return undefined;
    const stats = await stat(file).catch(ifMissing(undefined));
    return stats === undefined ? undefined : { status: Number(text), exitedAtMs: Math.round(stats.mtimeMs) };
  }

  async remove(containerId: string): Promise<void> {
    await rm(`${this.folder}/${containerId}`, { force: true });
  }

  async list(): Promise<string[]> {
    return (await listFolder(this.folder)).filter((name) => startOfContainer(name) !== undefined);
  }

  /** Calls `onChange` with the id of each container whose file appears or goes. */
  watch(onChange: (containerId: string) => void): void {
    this.#watcher = watch(this.folder, { persistent: false }, (_, name) => {
      if (name !== null && startOfContainer(name) !== undefined) onChange(name);
    });
    this.#watcher.on("error", () => {}); // the folder is gone: nothing can be written to it any more
  }

  close(): void {
    this.#watcher?.close();
  }
}

/** Tells a signal from an exit code, as a shell does. */
export function exitFrom(
  record: ExitRecord,
  seen: { readonly oomKilled: boolean; readonly stopRequested: boolean },
): MachineExit {
  const signal = record.status - 128;
  return {
    exit_code: record.status,
    guest_signal: signal >= 1 && signal <= 64 ? signal : 0,
    oom_killed: seen.oomKilled && record.status !== 0,
    requested_stop: seen.stopRequested,
    exited_at_ms: record.exitedAtMs,
  };
}
