import { join } from "node:path";
import { durationMs, durationSchema } from "#contracts";
import { type Clock, type Position, RefusedError, refusal } from "#kernel";
import {
  type AnswerPage,
  EventApps,
  eventRow,
  Investigation,
  type InvestigationTable,
  namedTables,
  stateRows,
  tablesJson,
  tablesText,
} from "#read-model";
import type { Stretch, Timeline, World } from "#timeline";
import type { CliContext } from "../context.ts";
import { type Output, table } from "../output.ts";
import { wholeNumber } from "../settings.ts";
import { parseMoment } from "./moment.ts";
import { type SourceFlags, withTimeline } from "./open-timeline.ts";

export interface SqlFlags extends SourceFlags {
  readonly at?: string;
  readonly since?: string;
  readonly until?: string;
  readonly host?: string;
  readonly machine?: string;
  readonly volume?: string;
  readonly maxEvents?: string;
  readonly timeout?: string;
  readonly tables?: boolean;
}

/** Rows of a table for people; a table is laid out as a whole. */
const MOST_SHOWN = 1_000;

/** `drover replay sql`. */
export async function sql(context: CliContext, question: string | undefined, flags: SqlFlags): Promise<void> {
  const output = context.output(flags);
  if (flags.tables === true) return output.result(tablesJson(), tablesText());
  if (question === undefined || question.trim() === "")
    throw new RefusedError(refusal("invalid", "name a query, or --tables for what there is to ask about"));
  const most = wholeNumber(flags.maxEvents ?? "100000", "--max-events", 1, 1e8);
  const timeoutMs = timeoutOf(flags.timeout ?? "30s");
  const wanted = namedTables(question);
  await withTimeline(context, flags, output, async ({ timeline }) => {
    // Side by side: a database begins more slowly than most histories.
    const opening = Investigation.open(join(context.root, ".drover/investigation.tar"));
    try {
      const [investigation, moments] = await Promise.all([
        opening,
        momentsOf(timeline, flags, context.clock.nowMs()),
      ]);
      if (wanted.includes("events")) {
        const count = await loadEvents(investigation, timeline, moments, flags, most);
        output.progress(`${count} events loaded`);
      }
      await loadState(investigation, timeline, moments, wanted);
      await withinTime(context.clock, timeoutMs, investigation, answer(output, investigation, question));
    } finally {
      await opening.then((investigation) => investigation.close()).catch(() => undefined);
    }
  });
}

interface Moments {
  readonly at: NonNullable<Stretch["until"]>;
  readonly since?: NonNullable<Stretch["until"]>;
  readonly until: NonNullable<Stretch["until"]>;
}

async function momentsOf(
  timeline: Timeline,
  { at, since, until }: SqlFlags,
  nowMs: number,
): Promise<Moments> {
  const atMoment = await parseMoment(timeline, at ?? "now", nowMs);
  return {
    at: atMoment,
    until: until === undefined ? atMoment : await parseMoment(timeline, until, nowMs),
    ...(since === undefined ? {} : { since: await parseMoment(timeline, since, nowMs) }),
  };
}

/** Returns how many there are. Throws a refusal where these are too many. */
async function loadEvents(
  investigation: Investigation,
  timeline: Timeline,
  { since, until }: Moments,
  { host: hostId, machine: machineId, volume: volumeId }: SqlFlags,
  most: number,
): Promise<number> {
  const before = await worldBefore(timeline, since);
  const stretch: Stretch = {
    after: before.position as Position,
    until,
    ...(hostId === undefined ? {} : { hostId }),
    ...(machineId === undefined ? {} : { machineId }),
    ...(volumeId === undefined ? {} : { volumeId }),
  };
  const apps = new EventApps(before.view);
  let count = 0;
  for await (const batch of timeline.history.arrivals(stretch)) {
    count += batch.length;
    if (count > most) {
      const message = `there are more than ${most} events: narrow them with --since, --until, --host, --machine or --volume, or raise --max-events`;
      throw new RefusedError(refusal("invalid", message));
    }
    await investigation.load(
      "events",
      batch.map((event) => eventRow(event, apps)),
    );
  }
  return count;
}

/** A time counts itself, a position and an event do not: what is loaded comes after. */
function worldBefore(timeline: Timeline, since: Moments["since"]): Promise<World> {
  if (since === undefined) return timeline.beginning();
  return timeline.at(since.kind === "time" ? { kind: "time", atMs: since.atMs - 1 } : since);
}

async function loadState(
  investigation: Investigation,
  timeline: Timeline,
  { at }: Moments,
  wanted: readonly InvestigationTable[],
): Promise<void> {
  const tables = wanted.filter((name) => name !== "events");
  if (tables.length === 0) return;
  const world = await timeline.at(at);
  for (const name of tables) await investigation.load(name, stateRows(name, world));
}

async function answer(output: Output, investigation: Investigation, question: string): Promise<void> {
  const shown: string[][] = [];
  let columns: readonly string[] = [];
  for await (const page of investigation.ask(question)) {
    columns = page.columns;
    if (output.json) for (const row of page.rows) output.line(objectOf(page, row), "");
    else shown.push(...page.rows.slice(0, MOST_SHOWN - shown.length).map((row) => row.map(cellOf)));
    if (!output.json && shown.length === MOST_SHOWN) {
      output.progress(`only the first ${MOST_SHOWN} rows are shown: --json prints all`);
      break;
    }
  }
  if (!output.json) output.result(undefined, table(columns, shown));
}

function objectOf({ columns }: AnswerPage, row: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((column, index) => [column, row[index]]));
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function timeoutOf(text: string): number {
  const parsed = durationSchema.safeParse(text);
  if (!parsed.success)
    throw new RefusedError(refusal("invalid", `--timeout: "${text}" is no time: write 30s or 5m`));
  return Math.max(1, durationMs(parsed.data));
}

/** The thread that answers hears nothing while it works: when the time is over it is ended. */
async function withinTime(
  clock: Clock,
  timeoutMs: number,
  investigation: Investigation,
  work: Promise<void>,
): Promise<void> {
  const over = new AbortController();
  let isLate = false;
  const late = clock.sleep(timeoutMs, over.signal).then(() => {
    isLate = true;
    return investigation.close();
  });
  late.catch(() => undefined);
  try {
    await work;
  } catch (error) {
    if (!isLate) throw error;
    const message = `the question took longer than ${timeoutMs} ms: narrow what it reads, or raise --timeout`;
    throw new RefusedError(refusal("deadline_exceeded", message));
  } finally {
    over.abort();
  }
}
