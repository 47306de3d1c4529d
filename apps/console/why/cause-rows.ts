import type { ReplayCause } from "#contracts";

/** A cause in the graph: one per line, children below their cause. */
export interface CauseRow {
  readonly cause: ReplayCause;
  readonly depth: number;
  /** The line of what led to it. */
  readonly parent: number | undefined;
  /** Its own name in the tree, for what is folded. */
  readonly key: string;
  readonly hasChildren: boolean;
}

/** The tree from top to bottom, without what lies below folded causes. */
export function causeRows(causes: readonly ReplayCause[], folded: ReadonlySet<string>): CauseRow[] {
  const rows: CauseRow[] = [];
  const add = (cause: ReplayCause, depth: number, parent: number | undefined, key: string) => {
    const line = rows.length;
    rows.push({ cause, depth, parent, key, hasChildren: cause.children.length > 0 });
    if (folded.has(key)) return;
    for (const [place, child] of cause.children.entries()) add(child, depth + 1, line, `${key}.${place}`);
  };
  for (const [place, cause] of causes.entries()) add(cause, 0, undefined, String(place));
  return rows;
}

/** What takes time, for the waterfall: operations and steps with their beginnings and lengths. */
export interface Bar {
  readonly title: string;
  readonly kind: string;
  readonly fromMs: number;
  readonly durationMs: number;
  readonly depth: number;
  readonly eventId: string | undefined;
}

export function barsOf(causes: readonly ReplayCause[], depth = 0): Bar[] {
  return causes.flatMap((cause) => {
    const { title, kind, atMs, durationMs, event, children } = cause;
    if (atMs === undefined || durationMs === undefined) return barsOf(children, depth);
    const bar = { title, kind, fromMs: atMs, durationMs, depth, eventId: event?.id };
    return [bar, ...barsOf(children, depth + 1)];
  });
}
