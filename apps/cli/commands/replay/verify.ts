import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { VerifyFlags } from "../../replay/verify.ts";
import { checkOptions } from "./check-options.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerVerify(replay: Command, context: CliContext): void {
  const verify = replay
    .command("verify")
    .summary("whether everything that has to hold did hold, over history or as it happens")
    .option(
      "--invariant <name|expression>",
      "this one instead of all; may be given several times",
      (one: string, before: readonly string[]) => [...before, one],
      [] as readonly string[],
    );
  checkOptions(verify)
    .option("--follow", "go on with what happens, until Ctrl-C: one line per violation")
    .option("--now", "exit with 1 only for what is broken still")
    .option("--list", "show what is checked, and what only on request; and stop")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      `
The exit code is 1 when something is or was broken.

Example:
  $ drover replay verify --since 1h
`,
    )
    .action(async (flags: VerifyFlags) =>
      (await import("../../replay/verify.ts")).showVerdict(context, flags),
    );
}
