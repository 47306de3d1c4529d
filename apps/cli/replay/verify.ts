import { type Position, RefusedError, refusal } from "#kernel";
import { INVARIANTS, type Invariant, invariantOf, ON_REQUEST, type Verdict, verify } from "#replay";
import { formatEntity } from "#timeline";
import type { CliContext } from "../context.ts";
import { followEvents } from "../events/follow-events.ts";
import { harmless, type Output, table } from "../output.ts";
import { type CheckFlags, checkedPart, scopeKind } from "./check-scope.ts";
import { withTimeline } from "./open-timeline.ts";
import { eventText, progressTeller, violationText } from "./violation-text.ts";

export interface VerifyFlags extends CheckFlags {
  readonly invariant: readonly string[];
  readonly follow?: boolean;
  readonly now?: boolean;
  readonly list?: boolean;
}

/** `drover replay verify`. The exit code is 1 when something is or was broken. */
export async function showVerdict(context: CliContext, flags: VerifyFlags): Promise<void> {
  const output = context.output(flags);
  const invariants = flags.invariant.length === 0 ? INVARIANTS : flags.invariant.map(invariantOf);
  if (flags.list === true)
    return list(output, flags.invariant.length === 0 ? [...INVARIANTS, ...ON_REQUEST] : invariants);
  assertFits(flags);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once("SIGINT", interrupt);
  try {
    const verdict = await verdictOf(context, flags, output, invariants, interrupted.signal);
    const isBroken = verdict.invariants.some(
      ({ violations, now }) => (flags.now === true ? now : violations + now) > 0,
    );
    const value = { ok: !isBroken, stopped: interrupted.signal.aborted, ...verdict };
    // A stream of lines ends with a line.
    if (flags.follow === true) output.line(value, verdictText(verdict));
    else output.result(value, verdictText(verdict));
    if (isBroken) process.exitCode = 1;
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function list(output: Output, invariants: readonly Invariant[]): void {
  const isOnRequest = (one: Invariant) => ON_REQUEST.includes(one);
  const rows = invariants.map((one) => [
    harmless(one.name),
    isOnRequest(one) ? "on request" : "always",
    one.says,
  ]);
  output.result(
    invariants.map((one) => ({ name: one.name, says: one.says, onRequest: isOnRequest(one) })),
    table(["INVARIANT", "CHECKED", "SAYS THAT"], rows),
  );
}

function assertFits(flags: VerifyFlags): void {
  scopeKind(flags);
  const other = (["from", "until"] as const).find((flag) => flags[flag] !== undefined);
  if (flags.follow !== true || other === undefined) return;
  throw new RefusedError(
    refusal("invalid", `--follow and --${other}: what goes on has no end; leave one out`),
  );
}

async function verdictOf(
  context: CliContext,
  flags: VerifyFlags,
  output: Output,
  invariants: readonly Invariant[],
  signal: AbortSignal,
): Promise<Verdict> {
  return withTimeline(context, flags, output, async ({ timeline }) => {
    const { entity: scope, ...part } = await checkedPart(context, timeline, flags);
    const live = flags.follow === true ? await feed(context, flags, output, signal) : undefined;
    return verify(timeline, {
      invariants,
      signal,
      ...part,
      ...(scope === undefined ? {} : { scope }),
      ...(live === undefined ? {} : { live }),
      onProgress: progressTeller(context.clock, (line) => output.progress(line)),
      onViolation: (violation) => {
        if (flags.follow === true) output.line(violation, violationText(violation));
        else output.progress(violationText(violation));
      },
    });
  });
}

/** What happens from a position on, as the API tells it. */
async function feed(context: CliContext, flags: VerifyFlags, output: Output, signal: AbortSignal) {
  const api = await context.api(flags);
  const ground = { api, clock: context.clock, notice: (line: string) => output.progress(line) };
  return (position: Position) => {
    output.progress("checked up to now; what happens next is checked as it happens, until Ctrl-C");
    return followEvents(ground, {}, signal, position);
  };
}

/** The summary for people. */
export function verdictText({ invariants, skipped, isPart, events, from, to }: Verdict): string {
  const rows = invariants.map(({ invariant, violations, now, standing, first }) => [
    harmless(invariant),
    violations === 0 && standing.length === 0 ? "ok" : "BROKEN",
    String(violations),
    String(now),
    first === undefined ? "" : `${formatEntity(first.entity)}: ${first.message}  [${eventText(first.event)}]`,
  ]);
  const start = from.atMs === 0 ? "the beginning" : new Date(from.atMs).toISOString();
  const end = to.atMs === 0 ? "nothing" : new Date(to.atMs).toISOString();
  const before = invariants.flatMap(({ invariant, standing }) =>
    standing.map(({ entity, message }) =>
      harmless(`broken before ${start}: ${invariant}: ${formatEntity(entity)}: ${message}`),
    ),
  );
  const broken = invariants.filter(({ violations, standing }) => violations + standing.length > 0).length;
  const sum = broken === 0 ? "All of them hold." : `${broken} of ${invariants.length} do not hold.`;
  return [
    table(["INVARIANT", "", "VIOLATIONS", "NOW", "FIRST"], rows),
    "",
    ...before,
    ...(isPart ? ["A part of history: what it was cut out of may hold what is missing here."] : []),
    ...skipped.map((name) => `not asked of a part: ${name}`),
    `${events.toLocaleString("en")} events checked, from ${start} to ${end}. ${sum}`,
  ].join("\n");
}
