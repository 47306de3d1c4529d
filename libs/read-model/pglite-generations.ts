import { existsSync, statSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { RefusedError, refusal } from "#kernel";
import { Generations, type OpenGeneration } from "./generations.ts";
import { makePglite } from "./pglite-thread.ts";
import { overWire, PgliteWire } from "./pglite-wire.ts";
import { DamagedError } from "./trouble.ts";

/** Generations as PGlite's directories in one folder. PGlite has no lock of its own: one process opens the folder. */
export class PgliteGenerations extends Generations {
  override readonly name = "PGlite";
  readonly #folder: string;
  #lock: Server | undefined;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  /** Rejects with a refusal while another process has the folder. */
  override async list(): Promise<number[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#lock ??= await lock(this.#folder);
    const names = await readdir(this.#folder);
    return names
      .filter((name) => /^\d{1,9}$/.test(name))
      .map(Number)
      .sort((a, b) => b - a);
  }

  /** All begin as copies of an empty one, which is made once: that takes a second on a quiet machine, and many on others. */
  override async make(number: number): Promise<void> {
    const empty = join(this.#folder, "empty");
    if (!existsSync(empty)) {
      const unfinished = `${empty}.new`;
      await rm(unfinished, { recursive: true, force: true });
      await makePglite(unfinished);
      await rename(unfinished, empty);
    }
    await cp(empty, this.#directory(number), { recursive: true, errorOnExist: true, force: false });
  }

  override async open(number: number): Promise<OpenGeneration> {
    const wire = await PgliteWire.open(this.#directory(number)).catch((error: Error) => {
      throw new DamagedError(`PGlite does not start: ${error.message}`);
    });
    const closed = new Promise<void>((done) => wire.once("close", () => done()));
    const sql = postgres(overWire(wire));
    const close = async () => {
      wire.destroy();
      await closed;
      await sql.end({ timeout: 0 }).catch(() => undefined);
    };
    return { number, schema: "public", db: drizzle(sql), close };
  }

  override async remove(number: number): Promise<void> {
    await rm(this.#directory(number), { recursive: true, force: true });
  }

  override async close(): Promise<void> {
    this.#lock?.close();
    this.#lock = undefined;
  }

  #directory(number: number): string {
    return join(this.#folder, String(number));
  }
}

/** An abstract unix socket named after the folder's device and inode: the kernel frees it with the process. */
async function lock(folder: string): Promise<Server> {
  const { dev, ino } = statSync(folder);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = `another process has ${folder} open: it is one API's alone`;
      fail(error.code === "EADDRINUSE" ? new RefusedError(refusal("already_exists", message)) : error);
    });
    server.listen(`\0drover-read-model-${dev}-${ino}`, done);
  });
  return server.unref();
}
