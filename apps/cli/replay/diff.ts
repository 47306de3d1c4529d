import type { Moment } from "#fleet";
import { formatPosition, RefusedError, refusal } from "#kernel";
import { type Diff, diff, type EntityDiff, entitiesNamed, oneNamed, type ToldChange } from "#replay";
import type { Entity, EntityKind, Fact, Timeline } from "#timeline";
import type { CliContext } from "../context.ts";
import { harmless, table } from "../output.ts";
import { parseMoment } from "./moment.ts";
import { type SourceFlags, withTimeline } from "./open-timeline.ts";

export interface DiffFlags extends SourceFlags {
  readonly machine?: string;
  readonly volume?: string;
  readonly host?: string;
  readonly app?: string;
  readonly all?: boolean;
}

/** `drover replay diff`. */
export async function showDiff(
  context: CliContext,
  fromText: string,
  toText: string,
  flags: DiffFlags,
): Promise<void> {
  const output = context.output(flags);
  const nowMs = context.clock.nowMs();
  await withTimeline(context, flags, output, async ({ timeline }) => {
    const from = await parseMoment(timeline, fromText, nowMs);
    const to = await parseMoment(timeline, toText, nowMs);
    const entity = await scopeOf(timeline, [to, from], flags);
    const scope = {
      ...(entity === undefined ? {} : { entity }),
      ...(flags.all === true ? { all: true } : {}),
    };
    const found = await diff(timeline, from, to, scope);
    output.result(found, diffText(found, flags.all === true));
  });
}

/** What the flags name, at either of the moments. */
async function scopeOf(
  timeline: Timeline,
  moments: readonly Moment[],
  flags: DiffFlags,
): Promise<Entity | undefined> {
  const named = SCOPES.filter((kind) => flags[kind] !== undefined);
  if (named.length > 1) {
    const message = `${named.map((kind) => `--${kind}`).join(" and ")}: use one of them`;
    throw new RefusedError(refusal("invalid", message));
  }
  const [kind] = named;
  if (kind === undefined) return undefined;
  const text = flags[kind]!;
  for (const moment of moments.slice(0, -1)) {
    const world = await timeline.at(moment);
    if (entitiesNamed(world, text, [kind]).length > 0) return oneNamed(world, text, [kind]);
  }
  return oneNamed(await timeline.at(moments.at(-1)!), text, [kind]);
}

const SCOPES = ["machine", "volume", "host", "app"] as const satisfies readonly EntityKind[];

/** The diff for people: what happened to each thing, then each change with its event. */
export function diffText({ from, to, swapped, entities }: Diff, showsAll: boolean): string {
  const head = [
    ...(swapped ? ["The first moment is the later one: this is told in the order of time."] : []),
    `from ${momentText(from)}`,
    `to   ${momentText(to)}`,
  ];
  if (entities.length === 0) return [...head, "", "Nothing is otherwise."].join("\n");
  return [...head, ...entities.flatMap((entity) => ["", entityText(entity, showsAll)])].join("\n");
}

function momentText({ position, atMs }: Diff["from"]): string {
  const time = atMs === 0 ? "before the first event" : new Date(atMs).toISOString();
  return `${time}  ${formatPosition(position)}`.trimEnd();
}

function entityText({ title, kind, changes }: EntityDiff, showsAll: boolean): string {
  const isWhole = kind !== "changed" && !showsAll;
  return `${harmless(title)}\n${isWhole ? eventsTable(changes) : changesTable(changes)}`;
}

function changesTable(changes: readonly ToldChange[]): string {
  const rows = changes.map((change) => [
    `  ${change.path}`,
    `${factText(change.before)} → ${factText(change.after)}`,
    ...eventCells(change),
  ]);
  return table(["  FIELD", "BEFORE → AFTER", "EVENT", "ID", "TIME", "ACTOR"], rows);
}

/** Of what was not there before, or is not any more, every field changed: which events did it is shorter. */
function eventsTable(changes: readonly ToldChange[]): string {
  const byEvent = new Map<string, ToldChange[]>();
  for (const change of changes)
    byEvent.set(change.event.id, [...(byEvent.get(change.event.id) ?? []), change]);
  const rows = [...byEvent.values()]
    .sort(([a], [b]) => a!.event.atMs - b!.event.atMs)
    .map((same) =>
      [...eventCells(same[0]!), fieldsText(same)].map((cell, at) => (at === 0 ? `  ${cell}` : cell)),
    );
  return table(["  EVENT", "ID", "TIME", "ACTOR", "FIELDS"], rows);
}

function fieldsText(changes: readonly ToldChange[]): string {
  const [first, ...rest] = changes.map(({ path }) => path);
  return rest.length < 3 ? [first, ...rest].join(" ") : `${first} and ${rest.length} more`;
}

function eventCells({ event }: ToldChange): string[] {
  return [event.type, event.id, new Date(event.atMs).toISOString(), event.actor];
}

const MOST = 60;

/** A fact in a cell of a table. */
export function factText(fact: Fact | undefined): string {
  if (fact === undefined) return "-";
  const text = harmless(String(fact));
  return text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text;
}
