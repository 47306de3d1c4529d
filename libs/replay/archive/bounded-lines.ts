/** One line of a file, without its end. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer;
}

/** A line that was longer than it may be. */
export class LineTooLongError extends Error {
  readonly line: number;
  readonly mostBytes: number;

  constructor(line: number, mostBytes: number) {
    super(`line ${line} is longer than ${mostBytes} bytes`);
    this.name = "LineTooLongError";
    this.line = line;
    this.mostBytes = mostBytes;
  }
}

const NEWLINE = 0x0a;

/**
 * Cuts bytes into lines. Holds one line and one chunk at a time, and no line that is longer than `mostBytes` says: asked
 * for each line before it is read. Throws `LineTooLongError`. What follows the last line end is a line of its own.
 */
export async function* boundedLines(
  chunks: AsyncIterable<Buffer>,
  mostBytes: (line: number) => number,
): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (part: Buffer) => {
    length += part.length;
    if (length > mostBytes(number)) throw new LineTooLongError(number, mostBytes(number));
    parts.push(part);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end));
      yield { number, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
      number += 1;
      parts = [];
      length = 0;
      from = end + 1;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  if (length > 0) yield { number, bytes: Buffer.concat(parts) };
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Whether JSON is nested deeper than `most` levels: what walks it later does so by recursion. */
export function isNestedDeeper(json: Buffer, most: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]!;
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > most) return true;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return false;
}
