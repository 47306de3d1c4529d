import { formatPosition } from "#kernel";
import { type Bisection, bisect, type FirstBreak, invariantOf } from "#replay";
import { formatEntity } from "#timeline";
import type { CliContext } from "../context.ts";
import { harmless, table } from "../output.ts";
import { type CheckFlags, checkedPart, scopeKind } from "./check-scope.ts";
import { factText } from "./diff.ts";
import { withTimeline } from "./open-timeline.ts";
import { eventText, progressTeller } from "./violation-text.ts";

export interface BisectFlags extends CheckFlags {
  readonly invariant: string;
}

/** `drover replay bisect`. Not to find anything is an answer, too: the exit code is 0 whenever it was looked. */
export async function showBisection(context: CliContext, flags: BisectFlags): Promise<void> {
  const output = context.output(flags);
  const invariant = invariantOf(flags.invariant);
  scopeKind(flags);
  await withTimeline(context, flags, output, async ({ timeline }) => {
    const part = await checkedPart(context, timeline, flags);
    const onProgress = progressTeller(context.clock, (line) => output.progress(line));
    const found = await bisect(timeline, invariant, { ...part, onProgress });
    output.result({ found: found.first !== undefined, ...found }, bisectionText(found));
  });
}

/** The answer for people. */
export function bisectionText(found: Bisection): string {
  const { invariant, says, first, events, from, to } = found;
  const read = `${events.toLocaleString("en")} events read, ${spanText(from.atMs, to.atMs)}`;
  const standing = found.standing.map(({ entity, message }) =>
    harmless(`broken before that: ${formatEntity(entity)}: ${message}`),
  );
  const head = [harmless(`${invariant}: ${says}`), ""];
  if (first === undefined) {
    const look =
      standing.length === 0 ? [] : ["Look further back for what broke it: an earlier --since, or none."];
    return [...head, "No event broke it.", ...standing, read, ...look].join("\n");
  }
  return [...head, ...firstText(first), ...standing, "", read, "", ...nextText(found, first)].join("\n");
}

function firstText({ violation, good, bad, changes }: FirstBreak): string[] {
  const { entity, message, event, healedBy } = violation;
  const rows = changes.map(({ entity: of, path, before, after }) => [
    `  ${formatEntity(of)}`,
    path,
    `${factText(before)} → ${factText(after)}`,
  ]);
  return [
    `broken by  ${eventText(event)}`,
    harmless(`           ${formatEntity(entity)}: ${message}`),
    `healed by  ${healedBy === undefined ? "nothing that was read" : eventText(healedBy)}`,
    `good       ${formatPosition(good)}`,
    `bad        ${formatPosition(bad)}`,
    ...(rows.length === 0 ? [] : ["", table(["  ENTITY", "FIELD", "BEFORE → AFTER"], rows)]),
  ];
}

function nextText({ invariant }: Bisection, { violation: { event } }: FirstBreak): string[] {
  const quoted = `'${invariant.replaceAll("'", "'\\''")}'`;
  return [
    "Next:",
    `  drover replay why ${event.id}`,
    `  drover replay at ${event.id}`,
    harmless(`  drover replay export --invariant ${quoted}`),
  ];
}

function spanText(fromMs: number, toMs: number): string {
  const to = toMs === 0 ? "nothing" : new Date(toMs).toISOString();
  return fromMs === 0 ? `from the beginning to ${to}` : `from ${new Date(fromMs).toISOString()} to ${to}`;
}
