/** What a benchmark prints: rows of named figures. */
export interface Figures {
  readonly bench: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** The value below which a share `p` (0…1) of the samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** Two digits behind the point: nothing here is known better. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Prints a table, or with `--json` one JSON object and nothing else. */
export function print(figures: Figures): void {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    return;
  }
  const columns = [...new Set(figures.rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...figures.rows.map((row) => columns.map((column) => String(row[column] ?? "")))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join("  ")
      .trimEnd(),
  );
  process.stdout.write(`${figures.bench}\n${lines.join("\n")}\n`);
}
