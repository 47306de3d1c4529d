import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { canonicalParts, type HybridTime } from "#kernel";
import type { QuarantinedEvent } from "./quarantine.ts";

/**
 * A fold's state as of one place in a log, so that a start need not read the log from its beginning (F15). It is never
 * the truth: delete it, fold the log, and it is back.
 */
export interface Checkpoint {
  readonly log: string;
  readonly sequence: number;
  /** Id of the event at `sequence`: the log that is found later is asked whether it holds that very event. */
  readonly eventId: string;
  /** Clock of the log's last event up to there. */
  readonly clock?: HybridTime;
  readonly foldVersion: number;
  /** What the state lacks, because it could not be read. */
  readonly quarantined?: readonly QuarantinedEvent[];
  /** Plain JSON. */
  readonly state: unknown;
}

const KEPT = 2;
/** Characters made at one go: a process with a large state goes on meanwhile. */
const SLICE_LENGTH = 32 * 1024;
/** Of a projection's state: down to the machines of one log. */
const SLICE_DEPTH = 8;
const SEAL_LENGTH = ',"hash":"'.length + 64 + '"}'.length;
const NAME = /^(\d{12})\.json$/;

/** The checkpoints of one fold, in a directory of its own. */
export class Checkpoints {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Writes a checkpoint so that after a power cut it is there as a whole or not at all, and forgets all but the newest
   * two. Throws what the file system throws: then the earlier ones are still there.
   */
  async save(checkpoint: Checkpoint): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const numbers = await this.#numbers();
    const number = (numbers[0] ?? 0) + 1;
    await writeDurably(this.#directory, fileName(number), checkpoint);
    for (const old of numbers.slice(KEPT - 1))
      await rm(join(this.#directory, fileName(old)), { force: true });
  }

  /** The newest checkpoint of that fold version that is whole; undefined when there is none. */
  async load(foldVersion: number): Promise<Checkpoint | undefined> {
    for (const number of await this.#numbers()) {
      const checkpoint = await readWhole(join(this.#directory, fileName(number)));
      if (checkpoint?.foldVersion === foldVersion) return checkpoint;
    }
    return undefined;
  }

  /** Newest first. They count on, so that which one is newest does not depend on a clock (F20). */
  async #numbers(): Promise<number[]> {
    const names = await readdir(this.#directory).catch(() => []);
    return names.flatMap((name) => NAME.exec(name)?.slice(1).map(Number) ?? []).sort((a, b) => b - a);
  }
}

function fileName(number: number): string {
  return `${String(number).padStart(12, "0")}.json`;
}

async function writeDurably(directory: string, name: string, checkpoint: Checkpoint): Promise<void> {
  const temporary = join(directory, `.${name}.tmp`);
  const file = await open(temporary, "w", 0o600);
  try {
    await writeSealed(file, checkpoint);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(directory, name));
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The canonical form with one more member at its end: the hash of all the rest. */
async function writeSealed(file: FileHandle, checkpoint: Checkpoint): Promise<void> {
  const hash = createHash("sha256");
  let slice = "";
  for (const part of canonicalParts(checkpoint, SLICE_DEPTH)) {
    if (slice.length >= SLICE_LENGTH) {
      await file.writeFile(slice);
      slice = "";
    }
    hash.update(part);
    slice += part;
  }
  await file.writeFile(`${slice.slice(0, -1)}${seal(hash.digest("hex"))}`);
}

/** Reads a file that `save` wrote; undefined when it is not whole, for whatever reason. */
async function readWhole(path: string): Promise<Checkpoint | undefined> {
  try {
    const file = await readFile(path, "utf8");
    const text = `${file.slice(0, -SEAL_LENGTH)}}`;
    return file.endsWith(seal(sha256(text))) ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function seal(hash: string): string {
  return `,"hash":"${hash}"}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
