import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { dumpPglite } from "../pglite-thread.ts";
import { PgliteWire } from "../pglite-wire.ts";

/** An empty database in one file: a process begins with a copy in memory of it, as making one anew takes seconds. */
export class MemoryImage {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** A database in memory. The file is made where it is not there, or does not fit any more. */
  async open(): Promise<PgliteWire> {
    if (!existsSync(this.#path)) await this.#make();
    try {
      return await PgliteWire.open(this.#path, "load");
    } catch {
      await this.#make();
      return PgliteWire.open(this.#path, "load");
    }
  }

  /** At once, or not at all: another command may be reading it. */
  async #make(): Promise<void> {
    const unfinished = `${this.#path}.${process.pid}.new`;
    await mkdir(dirname(this.#path), { recursive: true });
    try {
      await dumpPglite(unfinished);
      await rename(unfinished, this.#path);
    } finally {
      await rm(unfinished, { force: true });
    }
  }
}
