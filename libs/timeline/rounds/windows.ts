import type { RecordedEvent } from "#contracts";
import type { RoundIndex } from "./round-index.ts";

/** Events that are put in order at a time, about. */
const WINDOW_EVENTS = 4_000;

/** Times, ascending, between any two of which about as many events lie as can be put in order at a time. */
export function windowEdges(index: RoundIndex): number[] {
  const slices = index.rounds.flatMap((round) => round.slices).sort((a, b) => a.lastMs - b.lastMs);
  const edges: number[] = [];
  let events = 0;
  for (const slice of slices) {
    events += slice.events;
    if (events < WINDOW_EVENTS || slice.lastMs === edges.at(-1)) continue;
    edges.push(slice.lastMs);
    events = 0;
  }
  return edges;
}

/**
 * Puts events in causal order, given each log's in its own. `clocks`: the greatest clock of each log so far; kept up to date.
 * It is the order of `mergeByClock`: a log's clock that went back counts as the greatest before it, ties go by id.
 */
export function inCausalOrder(
  events: readonly RecordedEvent[],
  clocks: Map<string, string>,
): RecordedEvent[] {
  const ids = new Map<string, string>();
  const placed = events.map((event) => {
    const { clock, id } = event.header;
    const before = clocks.get(event.log) ?? "";
    const idBefore = ids.get(event.log) ?? "";
    const isLater = clock > before;
    const at = isLater ? clock : before;
    // Within a log its own order stands, also where ids go back.
    const tie = isLater || id > idBefore ? id : idBefore;
    clocks.set(event.log, at);
    ids.set(event.log, tie);
    return { event, at, tie };
  });
  placed.sort((a, b) => (a.at === b.at ? order(a.tie, b.tie) : order(a.at, b.at)));
  return placed.map(({ event }) => event);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
