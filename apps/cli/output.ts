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
    line: (value, text) => write(json ? `${JSON.stringify(value)}\n` : ensureNewline(text)),
    progress: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Columns padded to their widest cell; the last one is left ragged. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** An error as one line that says what to do. */
export function errorLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.split("\n")[0] ?? "";
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
