import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { WhatifFlags } from "../../replay/whatif.ts";

const repeated = (one: string, before: readonly string[]) => [...before, one];

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerWhatif(replay: Command, context: CliContext): void {
  replay
    .command("whatif")
    .summary("lives through history with a change, up to the first decision that comes out otherwise")
    .option("--decider <path>", "a module that exports decideHost, decideControl or rank (.js, .mjs, .ts)")
    .option("--branch <ref>", "the deciders of a branch, tag or commit of this project")
    .option("--policy <policy>", "rank hosts by `spread` or `pack`, whatever was asked for")
    .option("--drop <event>", "an event did not happen (its id); may be given several times", repeated, [])
    .option("--edit <event>", "an event said something else (its id), with --set")
    .option(
      "--set <path=value>",
      "what it said instead, e.g. capacity.memoryMib=512; several times",
      repeated,
      [],
    )
    .option("--insert <file>", "events happened as well (lines of `replay log --json`), with --after")
    .option("--after <event>", "the event after which they did (its id)")
    .option("--continue", "go on as if what is decided otherwise had happened")
    .option("--limit <n>", "with --continue: so many decisions that come out otherwise", "20")
    .option("--since <moment>", "begin in the world of a moment: a time, a position, or an event's id")
    .option("--until <moment>", "end there, likewise")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      `
Events are folded and decisions are made anew, and that is all: no effect is performed, and nothing is connected to.
Modules run in a process of their own, which can neither write files nor use the network.
The exit code is 0 when every decision comes out the same, 3 when one does not, 1 when it could not be found out.

Example:
  $ drover replay whatif --policy pack
  $ drover replay whatif --branch main --since 1h
  $ drover replay whatif --edit 01M88G9X643ZYBWX5F0C0SQ926 --set capacity.memoryMib=512 --from incident.ndjson
`,
    )
    .action(async (flags: WhatifFlags) =>
      (await import("../../replay/whatif.ts")).showWhatif(context, flags),
    );
}
