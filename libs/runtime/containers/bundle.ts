import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { ifMissing, listFolder, readText, writeWhole } from "../files.ts";
import { MONITOR_PID_FILE } from "./monitor.ts";
import { identify, type ProcessIdentity, readProc } from "./processes.ts";

/** `process` of an OCI config. */
export interface MachineProcess {
  readonly env: readonly string[];
}

/** Said before the container's process is let go; from then on it may have run. */
interface Started {
  readonly startedAtMs: number;
}

/**
 * The folder of one container: what it is made from, what its monitor leaves, and what we noted about it. The notes
 * decide what a later call may do:
 * - none: the process has certainly not begun; whatever is there may be thrown away
 * - `ready`: nor has it, and the container stands complete, made from what the note says
 * - `started`: it may have begun; it is never begun again
 * - `lost`: it ended and nobody is left who knows how
 * - `stop-requested`: somebody asked it to end
 */
export class Bundle {
  readonly path: string;
  readonly containerId: string;

  constructor(folder: string, containerId: string) {
    this.path = `${folder}/${containerId}`;
    this.containerId = containerId;
  }

  /** Folder with the guest's own files of /etc. */
  get etcFolder(): string {
    return `${this.path}/etc`;
  }

  /** False when it exists. */
  async create(): Promise<boolean> {
    try {
      await mkdir(this.path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  async writeSpec(spec: unknown): Promise<void> {
    await writeFile(`${this.path}/config.json`, JSON.stringify(spec));
  }

  /** What the machine's own process was made from. */
  async process(): Promise<MachineProcess> {
    const spec = JSON.parse(await readFile(`${this.path}/config.json`, "utf8")) as {
      process: MachineProcess;
    };
    return spec.process;
  }

  /** `plan`: a digest of all that the container was made from. */
  async noteReady(plan: string): Promise<void> {
    await writeWhole(`${this.path}/ready`, plan);
  }

  async ready(): Promise<string | undefined> {
    return readText(`${this.path}/ready`);
  }

  async noteStarted(started: Started): Promise<void> {
    await writeWhole(`${this.path}/started`, JSON.stringify(started));
  }

  async started(): Promise<Started | undefined> {
    const text = await readText(`${this.path}/started`);
    if (text === undefined) return undefined;
    // A power failure may leave the note without its text: that it is there says that the process may have begun.
    return { startedAtMs: Number(/"startedAtMs":(\d+)/.exec(text)?.[1] ?? 0) };
  }

  /** Notes the loss once: the first time stays. Returns when it was noticed, epoch milliseconds. */
  async noteLost(atMs: number): Promise<number> {
    const file = `${this.path}/lost`;
    const noted = await readText(file);
    if (noted !== undefined) return Number(noted);
    await writeWhole(file, String(atMs));
    return atMs;
  }

  async noteStopRequested(): Promise<void> {
    await writeFile(`${this.path}/stop-requested`, "").catch(ifMissing(undefined));
  }

  async isStopRequested(): Promise<boolean> {
    return this.#has("stop-requested");
  }

  /** Whether the monitor saw the kernel kill for want of memory. */
  async ranOutOfMemory(): Promise<boolean> {
    return this.#has("oom");
  }

  /** The monitor, when it lives: its pid is looked at, and what it was told to do. */
  async monitor(): Promise<ProcessIdentity | undefined> {
    const pid = Number(await readText(`${this.path}/${MONITOR_PID_FILE}`));
    if (!(pid > 0)) return undefined;
    const found = identify(pid);
    return readProc(pid, "cmdline")?.includes(`\0${this.path}\0`) === true ? found : undefined;
  }

  /** What is left from now on must not look like a process that began and was lost. */
  async forgetStart(): Promise<void> {
    await rm(`${this.path}/started`, { force: true });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async #has(file: string): Promise<boolean> {
    return stat(`${this.path}/${file}`).then(() => true, ifMissing(false));
  }
}

/** Ids of the containers that have a bundle here. */
export function bundlesIn(folder: string): Promise<string[]> {
  return listFolder(folder);
}
