import type { FileHandle } from "node:fs/promises";
import type { LogPlace, LogSegments } from "./log-segments.ts";

/** Reads the bytes of one machine's log in order, from segment to segment. */
export class LogCursor {
  readonly #segments: LogSegments;
  #segment: number;
  #offset: number;
  #file: FileHandle | undefined;

  constructor(segments: LogSegments, place: LogPlace) {
    this.#segments = segments;
    this.#segment = place.segment;
    this.#offset = place.offset;
  }

  /** The next bytes, at most `maxBytes`; undefined when there are none now. */
  async read(maxBytes: number): Promise<Buffer | undefined> {
    for (;;) {
      this.#file ??= await this.#segments.open(this.#segment);
      const bytes = await this.#readHere(maxBytes);
      if (bytes !== undefined) return bytes;
      const next = (await this.#segments.numbers()).find((number) => number > this.#segment);
      if (next === undefined) return undefined;
      // The monitor had done with this segment before the next one was there: what it wrote last is to be read now.
      const last = await this.#readHere(maxBytes);
      if (last !== undefined) return last;
      await this.close();
      this.#segment = next;
      this.#offset = 0;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #readHere(maxBytes: number): Promise<Buffer | undefined> {
    if (this.#file === undefined) return undefined;
    const buffer = Buffer.allocUnsafe(maxBytes);
    const { bytesRead } = await this.#file.read(buffer, 0, maxBytes, this.#offset);
    this.#offset += bytesRead;
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }
}
