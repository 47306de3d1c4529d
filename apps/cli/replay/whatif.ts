import { access } from "node:fs/promises";
import { join } from "node:path";
import { formatPosition, RefusedError, refusal } from "#kernel";
import {
  type DivergedFact,
  type Divergence,
  type Instead,
  type WhatIf,
  type WhatIfOptions,
  whatif,
} from "#replay";
import { formatEntity, type Timeline } from "#timeline";
import type { CliContext } from "../context.ts";
import { harmless, type Output } from "../output.ts";
import { absolute, wholeNumber } from "../settings.ts";
import { checkedPart } from "./check-scope.ts";
import { type SourceFlags, withTimeline } from "./open-timeline.ts";
import { progressTeller } from "./violation-text.ts";
import { withBranch } from "./whatif-branch.ts";
import { type ChangeFlags, changeOf, type PlainChange } from "./whatif-change.ts";
import { whatifWithModules } from "./whatif-process.ts";

export interface WhatifFlags extends SourceFlags, ChangeFlags {
  readonly decider?: string;
  readonly branch?: string;
  readonly continue?: boolean;
  readonly limit: string;
  readonly since?: string;
  readonly until?: string;
}

/** Some decision came out otherwise. */
const EXIT_DIVERGED = 3;

/** `drover replay whatif`. */
export async function showWhatif(context: CliContext, flags: WhatifFlags): Promise<void> {
  const output = context.output(flags);
  const limit = wholeNumber(flags.limit, "--limit", 1, 100_000);
  assertChanges(flags);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once("SIGINT", interrupt);
  try {
    await withTimeline(context, flags, output, async ({ timeline }) => {
      const { since, until } = await checkedPart(context, timeline, flags);
      const change = await changeOf(timeline, flags);
      const options: WhatIfOptions = {
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        most: flags.continue === true ? limit : 1,
        signal: interrupted.signal,
        onProgress: progressTeller(context.clock, (line) => output.progress(line)),
      };
      const result = await decided(context, timeline, change, flags, options, output).catch((thrown) => {
        throw interrupted.signal.aborted ? stopped() : thrown;
      });
      // Part of an answer would look like all of it.
      if (interrupted.signal.aborted) throw stopped();
      output.result(result, whatifText(result));
      if (result.divergences.length > 0) process.exitCode = EXIT_DIVERGED;
    });
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function stopped(): RefusedError {
  return new RefusedError(refusal("cancelled", "stopped before it was known: nothing can be said"));
}

function assertChanges({ decider, branch, policy, drop, edit, insert }: WhatifFlags): void {
  const invalid = (message: string) => new RefusedError(refusal("invalid", message));
  if (decider !== undefined && branch !== undefined) throw invalid("--decider and --branch: use one of them");
  if ((decider ?? branch ?? policy ?? edit ?? insert) !== undefined || drop.length > 0) return;
  throw invalid("say what is to be otherwise: --decider, --branch, --policy, --drop, --edit or --insert");
}

async function decided(
  context: CliContext,
  timeline: Timeline,
  change: PlainChange,
  { decider, branch }: WhatifFlags,
  options: WhatIfOptions,
  output: Output,
): Promise<WhatIf> {
  const say = (line: string) => output.progress(line);
  const withModules = (modules: readonly string[]) =>
    whatifWithModules(timeline, change, { modules, dist: join(context.root, "dist"), onWords: say }, options);
  if (branch !== undefined) return withBranch(context.root, branch, say, withModules);
  if (decider === undefined) return whatif(timeline, change, options);
  const module = absolute(decider, "--decider");
  await access(module);
  return withModules([module]);
}

/** What came of it, for people. */
export function whatifText(result: WhatIf): string {
  const { divergences, events, decisions, notReplayable } = result;
  const left = Object.entries(notReplayable).map(([reason, count]) => `${count} not made again: ${reason}`);
  const counts = `${events.toLocaleString("en")} events, ${decisions.toLocaleString("en")} decisions made again`;
  const verdict =
    divergences.length === 0
      ? `No decision would have come out otherwise (${counts}).`
      : `${divergences.length} would have come out otherwise (${counts}).`;
  return [...divergences.map(divergenceText), verdict, ...left].join("\n\n");
}

function divergenceText({
  event,
  position,
  command,
  recorded,
  instead,
  data,
  facts,
  before,
}: Divergence): string {
  const at = new Date(event.atMs).toISOString();
  return [
    `${at}  ${event.log}:${event.sequence}  ${command.type}  ${event.about.map(formatEntity).join(" ")}`,
    `  recorded  ${recorded.type}`,
    `  instead   ${insteadText(instead)}`,
    ...section("what it was decided on was otherwise", before.map(factText)),
    ...section(
      "the event's data",
      data.map((one) => `${one.path}: ${ends(one)}`),
    ),
    ...section("afterwards", facts.map(factText)),
    `  position  ${formatPosition(position)}`,
    `  event     ${event.id}`,
  ]
    .map(harmless)
    .join("\n");
}

const MOST_LINES = 20;

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more =
    lines.length > MOST_LINES ? [`    and ${lines.length - MOST_LINES} more (--json shows all)`] : [];
  return [`  ${title}:`, ...lines.slice(0, MOST_LINES).map((line) => `    ${line}`), ...more];
}

function factText(fact: DivergedFact): string {
  return `${formatEntity(fact.entity)} ${fact.path}: ${ends(fact)}`;
}

function ends({ recorded, instead }: Pick<DivergedFact, "recorded" | "instead">): string {
  return `${recorded === undefined ? "-" : JSON.stringify(recorded)} → ${instead === undefined ? "-" : JSON.stringify(instead)}`;
}

function insteadText(instead: Instead): string {
  switch (instead.kind) {
    case "event":
      return instead.event.type;
    case "refused":
      return `refused (${instead.refusal.code}): ${instead.refusal.message}`;
    case "unchanged":
      return "nothing: it is so already";
    case "other-host":
      return `host ${instead.hostId} (${instead.order.map(({ hostId, score }) => `${hostId}:${score}`).join(", ")})`;
    case "threw":
      return `the decider fails: ${instead.message}`;
  }
}
