import { once } from "node:events";
import { constants, existsSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { runCommand } from "../command.ts";
import { listFolder, readText } from "../files.ts";
import { lives, type ProcessIdentity, readProc } from "./processes.ts";

const RELEASE_TIMEOUT_MS = 10_000;

/** What we need of a program that implements the OCI runtime's command line, besides what conmon asks of it. */
export abstract class OciRuntime {
  /** Absolute path of the program. */
  readonly binary: string;
  /** Folder with a folder per container: its `--root`. */
  readonly root: string;
  readonly version: string;

  constructor(binary: string, root: string, version: string) {
    this.binary = binary;
    this.root = root;
    this.version = version;
  }

  /** Lets the process of a created container begin. */
  abstract release(containerId: string, signal: AbortSignal): Promise<void>;

  /** The first process of a container as it was recorded at its creation; it may be gone since. */
  abstract processOf(containerId: string): Promise<ProcessIdentity | undefined>;

  /** Whether that process is still ours, waiting to be released, rather than the guest's. */
  abstract isWaiting(containerId: string, first: ProcessIdentity): boolean;

  /** Ids of all containers it has records of. */
  containers(): Promise<string[]> {
    return listFolder(this.root);
  }

  /** Forgets a container whose processes and control groups are gone. */
  async forget(containerId: string): Promise<void> {
    await rm(`${this.root}/${containerId}`, { recursive: true, force: true });
  }

  protected async record(containerId: string, file: string): Promise<Record<string, unknown> | undefined> {
    const text = await readText(`${this.root}/${containerId}/${file}`);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      return undefined; // killed while it wrote: the container is not complete
    }
  }

  protected fifoOf(containerId: string): string {
    return `${this.root}/${containerId}/exec.fifo`;
  }
}

/**
 * runc. Its `start` only reads a FIFO that the container's process waits to write to before it becomes the guest's;
 * we do so ourselves, which saves a process of 10 to 30 ms on the way of every wake.
 */
export class Runc extends OciRuntime {
  override async release(containerId: string, signal: AbortSignal): Promise<void> {
    const fifo = this.fifoOf(containerId);
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    await firstByte(fd, AbortSignal.any([signal, AbortSignal.timeout(RELEASE_TIMEOUT_MS)]));
    await rm(fifo, { force: true });
  }

  override async processOf(containerId: string): Promise<ProcessIdentity | undefined> {
    const state = await this.record(containerId, "state.json");
    return identityFrom(state?.init_process_pid, state?.init_process_start);
  }

  override isWaiting(containerId: string, first: ProcessIdentity): boolean {
    const isRuncs = readProc(first.pid, "comm")?.startsWith("runc:[") === true;
    return isRuncs && existsSync(this.fifoOf(containerId)) && lives(first);
  }
}

/** crun. Its `start` writes to the FIFO, and is quick. */
export class Crun extends OciRuntime {
  override async release(containerId: string, signal: AbortSignal): Promise<void> {
    const start = [this.binary, "--root", this.root, "start", containerId];
    await runCommand(start, { signal, timeoutMs: RELEASE_TIMEOUT_MS });
  }

  override async processOf(containerId: string): Promise<ProcessIdentity | undefined> {
    const status = await this.record(containerId, "status");
    return identityFrom(status?.pid, status?.["process-start-time"]);
  }

  override isWaiting(containerId: string, first: ProcessIdentity): boolean {
    return existsSync(this.fifoOf(containerId)) && lives(first);
  }
}

function identityFrom(pid: unknown, startTicks: unknown): ProcessIdentity | undefined {
  return typeof pid === "number" && pid > 0 ? { pid, startTicks: Number(startTicks) } : undefined;
}

/** Waits for a byte from a FIFO and closes it. */
async function firstByte(fd: number, signal: AbortSignal): Promise<void> {
  const fifo = new Socket({ fd, readable: true, writable: false });
  try {
    await once(fifo, "data", { signal });
  } finally {
    fifo.destroy();
  }
}
