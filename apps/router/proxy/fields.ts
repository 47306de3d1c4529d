import { Garbled } from "./garbled.ts";

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** No control characters but tabs; bytes beyond ASCII mean whatever the two ends make of them. */
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

const TAB = 9;
const SPACE = 32;

/** Reads header or trailer lines into names and values, in turn. Throws `Garbled`: a folded line is no field, too. */
export function readFields(lines: readonly string[]): string[] {
  const fields: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name) || !TEXT.test(line)) throw new Garbled("header");
    fields.push(name, trimmed(line, colon + 1));
  }
  return fields;
}

/** The rest of a line without blanks around it: `trim` would take bytes of other characters for blanks. */
function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start += 1;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
