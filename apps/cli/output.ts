import { RefusedError } from "#kernel";

/** Where a command writes: results on stdout, progress and errors on stderr. */
export interface Output {
  /** With `--json`: stdout holds JSON and nothing else. */
  readonly json: boolean;
  /** The result: `text` for people, `value` for programs. */
  result(value: unknown, text: string): void;
  /** One line of a stream (logs, events): a JSON line or the text. */
  line(value: unknown, text: string): void;
  progress(text: string): void;
}

/** Writes to this process's own streams. */
export function standardOutput(json: boolean): Output {
  return {
    json,
    result: (value, text) => write(json ? `${JSON.stringify(value, null, 2)}\n` : ensureNewline(text)),
    line: (value, text) => write(`${json ? JSON.stringify(value) : text}\n`),
    progress: (text) => {
      // A program that wants JSON reads errors from there.
      if (!json || process.stderr.isTTY) process.stderr.write(`${harmless(text)}\n`);
    },
  };
}

/** Columns padded to their widest cell; the last one is left ragged. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows.map((row) => row.map(harmless))];
  const widths = header.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, widthOf(row[column] ?? "")), 0),
  );
  const padded = (cell: string, width: number) => cell + " ".repeat(width - widthOf(cell));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : padded(cell, widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Columns of a terminal that a text takes: marks none, East Asian characters and emoji two. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text.replace(/\p{M}/gu, "")) width += WIDE.test(character) ? 2 : 1;
  return width;
}

const WIDE = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}]/u;

/** Text of guests and images must not drive the reader's terminal: control characters are shown, not obeyed. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === "\t" ? character : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** What to do about an error of the operating system; a path goes before it. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "not allowed: run as its owner or as root",
  EPERM: "not allowed: run as its owner or as root",
  EROFS: "on a disk that cannot be written: name another place",
  ENOSPC: "no space left on its disk: free some",
  EDQUOT: "no space left in its quota: free some",
  ENOENT: "is not there, or cannot be made",
  ENOTDIR: "has a file where a folder must be: name another place",
  EEXIST: "is a file where a folder must be: name another place",
  EISDIR: "is a folder where a file must be: name another place",
  ENAMETOOLONG: "is too long: name a shorter path",
  ELOOP: "goes round in links: name another place",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
};

/** An error as one line that says what to do. */
export function errorLine(thrown: unknown): string {
  if (!isError(thrown)) return harmless(String(thrown));
  const { code, path } = thrown;
  const advice = thrown instanceof RefusedError ? undefined : ADVICE[code ?? ""];
  if (advice !== undefined) return harmless(path === undefined ? `${code}: ${advice}` : `${path}: ${advice}`);
  const first = thrown.message.split("\n").find((line) => line.trim() !== "");
  return harmless(first ?? code ?? thrown.name);
}

function isError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return typeof thrown === "object" && thrown !== null && "message" in thrown && "name" in thrown;
}

/** An error as JSON, for `--json`: on stderr, because stdout is for results. */
export function errorJson(thrown: unknown): string {
  const code = thrown instanceof RefusedError ? thrown.refusal.code : "error";
  const details = thrown instanceof RefusedError ? thrown.refusal.details : undefined;
  return JSON.stringify({
    error: errorLine(thrown),
    status: code,
    ...(details === undefined ? {} : { details }),
  });
}

/** "3m", "2h", "5d": how long ago, for tables. */
export function age(sinceMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function write(text: string): void {
  process.stdout.write(text);
}

function ensureNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
