import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { BisectFlags } from "../../replay/bisect.ts";
import { checkOptions } from "./check-options.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerBisect(replay: Command, context: CliContext): void {
  const bisect = replay
    .command("bisect")
    .summary("the first event that broke an invariant, also if it healed later")
    .requiredOption(
      "--invariant <name|expression>",
      'a name that "verify --list" shows, or an expression over what there is (CEL)',
    );
  checkOptions(bisect)
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      `
An expression is asked of every entity of the kind that it names (machine, host, volume, snapshot, app, reservation),
whenever an event touches it; a fact that is not there is "", 0 or false. It may also read event.type, event.actor and
now_ms. The exit code is 0 whether an event is found or not: "found" in the JSON says which.

Example:
  $ drover replay bisect --invariant no-overcommit --since 1h
  $ drover replay bisect --invariant 'machine.state != "failed"' --app hello
  $ drover replay bisect --invariant 'host.promised.memoryMib <= host.capacity.memoryMib'
`,
    )
    .action(async (flags: BisectFlags) =>
      (await import("../../replay/bisect.ts")).showBisection(context, flags),
    );
}
