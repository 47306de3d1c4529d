import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { WhyFlags } from "../../replay/why.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerWhy(replay: Command, context: CliContext): void {
  replay
    .command("why")
    .summary("what became of a request that had to wait, was retried or refused, and what it set in motion")
    .requiredOption("--request <id>", "its id: the header Fly-Request-Id of the answer")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover replay why --request 01M88G9X643ZYBWX5F0C0SQ926\n")
    .action(async (flags: WhyFlags) => (await import("../../replay/why.ts")).why(context, flags));
}
