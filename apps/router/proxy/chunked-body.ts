import type { AnswerListener } from "./answer-listener.ts";
import { readFields } from "./fields.ts";
import { Garbled } from "./garbled.ts";

/** A chunk's size in hexadecimal digits, and what may be said beside it, which means nothing to anybody. */
const SIZE = /^([0-9a-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;
/** Of a size's line, and of all trailers together. */
const MOST_LINE_BYTES = 16_384;
const LINE_FEED = 10;

/** Reads a body that comes in chunks (RFC 9112 §7.1). */
export class ChunkedBody {
  readonly #listener: Pick<AnswerListener, "body" | "ended">;
  readonly #trailers: string[] = [];
  #expected: "size" | "end of chunk" | "trailer" = "size";
  /** Bytes of the chunk that have not come. */
  #left = 0;
  #line = "";
  #lineBytes = 0;

  constructor(listener: Pick<AnswerListener, "body" | "ended">) {
    this.#listener = listener;
  }

  /** Returns what is beyond the end of the body once that has come, else undefined. Throws `Garbled`. */
  read(bytes: Buffer): Buffer | undefined {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const taken = bytes.subarray(at, at + this.#left);
        this.#left -= taken.length;
        at += taken.length;
        this.#listener.body(taken);
        continue;
      }
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = feed < 0 ? bytes.length : feed + 1;
      this.#addToLine(bytes.toString("latin1", at, end));
      at = end;
      if (this.#line.endsWith("\n") && this.#takeLine()) return bytes.subarray(at);
    }
    return undefined;
  }

  #addToLine(text: string): void {
    this.#line += text;
    this.#lineBytes += text.length;
    if (this.#lineBytes > MOST_LINE_BYTES) throw new Garbled("too long a line");
  }

  /** True when it was the last one. */
  #takeLine(): boolean {
    if (!this.#line.endsWith("\r\n")) throw new Garbled("line end");
    const line = this.#line.slice(0, -2);
    this.#line = "";
    switch (this.#expected) {
      case "size":
        this.#takeSize(line);
        return false;
      case "end of chunk":
        if (line !== "") throw new Garbled("chunk");
        this.#expected = "size";
        return false;
      case "trailer":
        if (line !== "") this.#trailers.push(line);
        else this.#listener.ended(readFields(this.#trailers));
        return line === "";
    }
  }

  #takeSize(line: string): void {
    const size = SIZE.exec(line)?.[1];
    if (size === undefined) throw new Garbled("chunk");
    this.#left = Number.parseInt(size, 16);
    this.#expected = this.#left === 0 ? "trailer" : "end of chunk";
    this.#lineBytes = 0;
  }
}
