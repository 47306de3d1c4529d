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
    output.result(found, diffText(found));
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
export function diffText({ from, to, swapped, entities }: Diff): string {
  const head = [
    ...(swapped ? ["The first moment is the later one: this is told in the order of time."] : []),
    `from ${momentText(from)}`,
    `to   ${momentText(to)}`,
  ];
  if (entities.length === 0) return [...head, "", "Nothing is otherwise."].join("\n");
  return [...head, ...entities.flatMap((entity) => ["", entityText(entity)])].join("\n");
}

function momentText({ position, atMs }: Diff["from"]): string {
  const time = atMs === 0 ? "before the first event" : new Date(atMs).toISOString();
  return `${time}  ${formatPosition(position)}`;
}

function entityText({ title, changes }: EntityDiff): string {
  const rows = changes.map((change) => [
    `  ${change.path}`,
    `${factText(change.before)} → ${factText(change.after)}`,
    ...eventCells(change),
  ]);
  return `${harmless(title)}\n${table(["  FIELD", "BEFORE → AFTER", "EVENT", "ID", "TIME", "ACTOR"], rows)}`;
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
