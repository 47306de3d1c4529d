import { type FileHandle, link, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ifMissing, listFolder } from "../files.ts";
import { OneAtATime } from "../one-at-a-time.ts";

/**
 * At this size a machine's monitor begins its log anew: `--log-size-max` of conmon. Two facts about conmon 2.1.6: it
 * does so by renaming an empty file over the log, and it counts from zero however long the file is that it begins with.
 */
export const LOG_SEGMENT_BYTES = 4 * 1024 * 1024;

export const CURRENT = "output.log";
const SEGMENT = /^(\d{8})\.log$/;
const OPEN_RECORD_BYTES = 16 * 1024;

/** A place in a machine's log. */
export interface LogPlace {
  readonly segment: number;
  readonly offset: number;
}

/**
 * The files of one machine's log. The monitor writes `output.log`; each file that ever stood there also has a numbered
 * name, so that nothing is lost when the monitor lets it go:
 *
 *     output.log, 00000007.log   one file, being written
 *     00000006.log, …            older ones
 *
 * Without us the monitor goes on within one segment's room (I5); lines are lost then, disk space is not.
 */
export class LogSegments {
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #maxBytes: number;
  readonly #oneAtATime = new OneAtATime();
  /** The file that was made ready last, as it was then: as long as nothing is written to it, it is. */
  #ready: { readonly ino: number; readonly size: number } | undefined;

  constructor(dir: string, segmentBytes: number, maxBytes: number) {
    this.#dir = dir;
    this.#segmentBytes = segmentBytes;
    this.#maxBytes = maxBytes;
  }

  get currentPath(): string {
    return join(this.#dir, CURRENT);
  }

  /** Makes the log ready for a monitor that is about to begin: there is a file, not too long, ending in a whole line. */
  async prepare(): Promise<void> {
    const found = await stat(this.currentPath).catch(ifMissing(undefined));
    if (found !== undefined && found.ino === this.#ready?.ino && found.size === this.#ready.size) return;
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const size = found?.size;
    if (size !== undefined && size > 0) await this.#endLine(size);
    if (size === undefined || size >= this.#segmentBytes) {
      const fresh = `${this.currentPath}.new`;
      await writeFile(fresh, "", { mode: 0o600 });
      await rename(fresh, this.currentPath);
    }
    await this.tend();
    this.#ready = await stat(this.currentPath);
  }

  /** Gives the file being written its number, and deletes the oldest ones beyond the room that a log may take. */
  tend(): Promise<void> {
    return this.#oneAtATime.take("", () => this.#tend());
  }

  async #tend(): Promise<void> {
    const current = await stat(this.currentPath).catch(ifMissing(undefined));
    const numbers = await this.numbers();
    const newest = numbers.at(-1);
    const newestInode = newest === undefined ? undefined : (await this.#stat(newest))?.ino;
    if (current !== undefined && current.ino !== newestInode) {
      const number = (newest ?? 0) + 1;
      await link(this.currentPath, this.#path(number)).catch(ifMissing(undefined));
      numbers.push(number);
    }
    let total = 0;
    for (const number of numbers.reverse()) {
      total += (await this.#stat(number))?.size ?? 0;
      if (total > this.#maxBytes && number !== numbers[0]) await rm(this.#path(number), { force: true });
    }
  }

  /** Numbers of all segments, oldest first. */
  async numbers(): Promise<number[]> {
    const names = await listFolder(this.#dir);
    return names
      .flatMap((name) => SEGMENT.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The place `bytes` before the end, or the beginning; how many bytes follow it now; and whether it is the beginning. */
  async placeBeforeEnd(bytes: number): Promise<LogPlace & { following: number; beginning: boolean }> {
    let following = 0;
    let segment = 0;
    for (const number of (await this.numbers()).reverse()) {
      segment = number;
      const size = (await this.#stat(number))?.size ?? 0;
      if (following + size > bytes) {
        return { segment, offset: following + size - bytes, following: bytes, beginning: false };
      }
      following += size;
    }
    return { segment, offset: 0, following, beginning: true };
  }

  /** Undefined when it is gone. */
  async open(number: number): Promise<FileHandle | undefined> {
    return open(this.#path(number), "r").catch(ifMissing(undefined));
  }

  /** A process that died within a line left it open, and the next one's first words would be taken for its end. */
  async #endLine(size: number): Promise<void> {
    const bytes = await readEnd(this.currentPath, size);
    const records = bytes.toString("latin1").trimEnd().split("\n");
    for (const stream of ["stdout", "stderr"]) {
      const last = records.findLast((record) => record.split(" ", 2)[1] === stream);
      const [time, , flag] = last?.split(" ", 3) ?? [];
      if (flag === "P") await writeFile(this.currentPath, `${time} ${stream} F \n`, { flag: "a" });
    }
  }

  async #stat(number: number) {
    return stat(this.#path(number)).catch(ifMissing(undefined));
  }

  #path(number: number): string {
    return join(this.#dir, `${String(number).padStart(8, "0")}.log`);
  }
}

async function readEnd(path: string, size: number): Promise<Buffer> {
  if (size <= OPEN_RECORD_BYTES) return readFile(path);
  await using file = await open(path, "r");
  const bytes = Buffer.alloc(OPEN_RECORD_BYTES);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
  return bytes.subarray(0, bytesRead);
}
