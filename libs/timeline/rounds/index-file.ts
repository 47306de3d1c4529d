import { mkdir, open, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { syncFolder } from "./block-file.ts";
import { type IndexHead, type Round, roundFile } from "./round.ts";
import { RoundIndex } from "./round-index.ts";

const NAME = "index";

/**
 * The list of rounds in a directory: one line each, with its sum. Whoever makes rounds appends; whoever reads takes what is
 * whole. It is never the truth: delete it, and it is made again from the logs.
 */
export class IndexFile {
  readonly directory: string;
  readonly #path: string;
  #index: RoundIndex | undefined;
  /** Bytes of the file that were read and are whole. */
  #read = 0;
  /** The last line of these and where it begins: a list that was made anew has another one there. */
  #lastLine = { at: 0, text: "" };
  /** When the file was changed that was read last. */
  #changedMs = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.#path = join(directory, NAME);
  }

  /** All rounds that there are now, as far as they are of this very history. Undefined for none. */
  async load(head: IndexHead): Promise<RoundIndex | undefined> {
    const { size, mtimeMs } = (await stat(this.#path).catch(() => undefined)) ?? { size: 0, mtimeMs: 0 };
    const isSame = size === this.#read && mtimeMs === this.#changedMs;
    if (isSame && this.#index !== undefined && sameHead(this.#index.head, head)) return this.#index;
    const file = await readFile(this.#path).catch(() => undefined);
    if (file === undefined) return this.#forget();
    if (!this.#goesOn(file, head)) this.#forget();
    this.#changedMs = mtimeMs;
    let at = this.#read;
    // Whoever asks at present goes on with what there was when he began.
    this.#index = this.#index?.prefix(this.#index.rounds.length);
    for (let end = file.indexOf(0x0a, at); end >= 0; end = file.indexOf(0x0a, at)) {
      const text = file.toString("utf8", at, end);
      if (!this.#take(text, head)) break;
      this.#lastLine = { at, text };
      at = end + 1;
    }
    this.#read = at;
    return this.#index;
  }

  /** Begins a list of its own. What is there of another history goes. */
  async begin(head: IndexHead): Promise<RoundIndex> {
    await mkdir(this.directory, { recursive: true });
    await this.#removeRounds(0);
    this.#forget();
    await this.#write("w", head);
    await syncFolder(this.directory);
    this.#index = new RoundIndex(head);
    return this.#index;
  }

  /** Appends a round whose blocks are written. */
  async append(round: Round): Promise<void> {
    // What a crash or a full disk left of a line is in the way.
    await truncate(this.#path, this.#read);
    await this.#write("a", round);
    this.#index!.add(round);
  }

  /** Keeps the first rounds only: the others tell of arrivals that are not there any more. */
  async keep(count: number): Promise<RoundIndex> {
    const { head, rounds } = this.#index!;
    const kept = rounds.slice(0, count);
    this.#forget();
    await this.#write("w", head);
    this.#index = new RoundIndex(head);
    for (const round of kept) await this.append(round);
    await this.#removeRounds(count);
    return this.#index;
  }

  /** Whether the file still is what was read of it, and maybe more. */
  #goesOn(file: Buffer, head: IndexHead): boolean {
    if (this.#index === undefined || !sameHead(this.#index.head, head)) return false;
    const { at, text } = this.#lastLine;
    return file.toString("utf8", at, this.#read) === `${text}\n`;
  }

  async #removeRounds(after: number): Promise<void> {
    const first = roundFile(after + 1);
    for (const name of await readdir(this.directory)) {
      if (/^\.?round-/.test(name) && name.replace(/^\./, "") >= first)
        await rm(join(this.directory, name), { force: true });
    }
  }

  async #write(flags: "w" | "a", value: IndexHead | Round): Promise<void> {
    const text = JSON.stringify(value);
    const line = `${sumOf(text)} ${text}\n`;
    const file = await open(this.#path, flags, 0o600);
    try {
      await file.writeFile(line);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#lastLine = { at: this.#read, text: line.slice(0, -1) };
    this.#read += Buffer.byteLength(line);
  }

  /** False for a line that is not whole, not the next one, or not of this history. */
  #take(line: string, head: IndexHead): boolean {
    const text = line.slice(9);
    if (line.slice(0, 8) !== sumOf(text)) return false;
    if (this.#index === undefined) {
      const found = JSON.parse(text) as IndexHead;
      const isSame = sameHead(found, head);
      if (isSame) this.#index = new RoundIndex(found);
      return isSame;
    }
    const round = JSON.parse(text) as Round;
    if (round.number !== this.#index.rounds.length + 1) return false;
    this.#index.add(round);
    return true;
  }

  #forget(): undefined {
    this.#index = undefined;
    this.#read = 0;
    return undefined;
  }
}

function sameHead(a: IndexHead, b: IndexHead): boolean {
  return (Object.keys(b) as (keyof IndexHead)[]).every((key) => a[key] === b[key]);
}

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
