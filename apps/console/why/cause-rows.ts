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

/** What takes time, for the waterfall: an operation, one of its steps, or the request that waited for it. */
export interface Bar {
  readonly title: string;
  readonly kind: string;
  readonly fromMs: number;
  readonly durationMs: number;
  readonly depth: number;
  readonly eventId: string | undefined;
}

/** One operation with its steps, as bars; the first one is the operation, or the request for which it was done. */
export type Work = readonly [Bar, ...Bar[]];

/** What was set in motion long before an operation, and not for its sake, would only hide how long its steps took. */
const MOST_TIMES_LONGER = 10;

/** Every operation in the tree, in the order of time. */
export function worksOf(causes: readonly ReplayCause[], request?: Bar): Work[] {
  return causes
    .flatMap((cause): Work[] => {
      const bar = barOf(cause, 0);
      if (cause.kind !== "operation" || bar === undefined) {
        return worksOf(cause.children, cause.kind === "request" ? bar : request);
      }
      return [workOf(bar, cause, request), ...worksOf(cause.children.filter(({ kind }) => kind !== "step"))];
    })
    .sort(([a], [b]) => a.fromMs - b.fromMs);
}

function workOf(operation: Bar, { children }: ReplayCause, request: Bar | undefined): Work {
  const isWaitedFor =
    request !== undefined && request.durationMs <= MOST_TIMES_LONGER * Math.max(1, operation.durationMs);
  const depth = isWaitedFor ? 1 : 0;
  const steps = children.flatMap((child) => (child.kind === "step" ? (barOf(child, depth + 1) ?? []) : []));
  const own: Work = [{ ...operation, depth }, ...steps];
  return isWaitedFor ? [request, ...own] : own;
}

function barOf({ title, kind, atMs, durationMs, event }: ReplayCause, depth: number): Bar | undefined {
  if (atMs === undefined || durationMs === undefined) return undefined;
  return { title, kind, fromMs: atMs, durationMs, depth, eventId: event?.id };
}
