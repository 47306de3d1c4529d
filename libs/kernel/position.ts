/**
 * A place in the history of the whole plane: for each log (by its id) the last sequence that is included. Never a
 * sequence of FLEET, which numbers arrivals and is renumbered when a host is sourced again.
 */
export type Position = Readonly<Record<string, number>>;

/** The least position that includes both. */
export function joinPositions(a: Position, b: Position): Position {
  const joined: Record<string, number> = { ...a };
  for (const [log, sequence] of Object.entries(b)) joined[log] = Math.max(joined[log] ?? 0, sequence);
  return joined;
}

/** Whether everything up to `wanted` is included in `reached`. */
export function includesPosition(reached: Position, wanted: Position): boolean {
  return Object.entries(wanted).every(([log, sequence]) => (reached[log] ?? 0) >= sequence);
}

/** `log:sequence` pairs joined by commas, sorted: the form used in headers and on the command line. */
export function formatPosition(position: Position): string {
  return Object.entries(position)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([log, sequence]) => `${log}:${sequence}`)
    .join(",");
}

/** Reads the form that `formatPosition` writes. Returns undefined for anything else. */
export function parsePosition(text: string): Position | undefined {
  const position: Record<string, number> = {};
  if (text === "") return position;
  for (const pair of text.split(",")) {
    const match = /^([A-Za-z0-9_-]+):(\d{1,15})$/.exec(pair.trim());
    if (!match) return undefined;
    position[match[1]!] = Number(match[2]);
  }
  return position;
}
