import { formatPosition, type Position } from "#kernel";
import type { FillStatus, ReadModelStatus } from "#read-model";

/** What filling a generation may take: a start, and events at the rate that is there on a busy laptop. */
const BUDGET_START_S = 15;
const BUDGET_EVENTS_PER_S = 2_000;

/** How the read model is, as the API shows it. `known`: how far the fold in memory is, at `nowMs`. */
export function readModelJson(status: ReadModelStatus, known: Position, nowMs: number) {
  const { store, trouble, serving, filling, position, currentAtMs } = status;
  return {
    store,
    state: stateOf(status),
    ...(trouble === undefined
      ? {}
      : { trouble: trouble.why, since: new Date(trouble.sinceMs).toISOString() }),
    ...(serving === undefined ? {} : { generation: serving.generation, ...countsOf(serving) }),
    lag_events: lagOf(position, known),
    age_seconds: currentAtMs === undefined ? null : Math.max(0, Math.round((nowMs - currentAtMs) / 1_000)),
    position: formatPosition(position),
    ...(filling === undefined ? {} : { filling: fillingJson(filling, nowMs) }),
    ...(serving?.completed === undefined ? {} : { build: buildJson(serving, serving.completed) }),
  };
}

function stateOf({ trouble, serving }: ReadModelStatus): "serving" | "filling" | "unavailable" {
  if (trouble !== undefined) return "unavailable";
  return serving === undefined ? "filling" : "serving";
}

function countsOf({ events, quarantined }: FillStatus) {
  return { events, quarantined };
}

function fillingJson(filling: FillStatus, nowMs: number) {
  return {
    generation: filling.generation,
    ...countsOf(filling),
    seconds: seconds(nowMs - filling.startedAtMs),
  };
}

/** What the generation that is read took to be filled, and what it might have taken. */
function buildJson(
  { generation, quarantined, startedAtMs }: FillStatus,
  at: { atMs: number; events: number },
) {
  const took = seconds(at.atMs - startedAtMs);
  const budget = Math.ceil(BUDGET_START_S + at.events / BUDGET_EVENTS_PER_S);
  return {
    generation,
    events: at.events,
    quarantined,
    seconds: took,
    events_per_second: Math.round(at.events / Math.max(0.001, took)),
    budget_seconds: budget,
    within_budget: took <= budget,
  };
}

/** Events that the fold in memory includes and the rows do not. */
function lagOf(position: Position, known: Position): number {
  const missing = Object.entries(known).map(([log, sequence]) => sequence - (position[log] ?? 0));
  return missing.reduce((sum, each) => sum + Math.max(0, each), 0);
}

function seconds(durationMs: number): number {
  return Math.max(0, Math.round(durationMs) / 1_000);
}
