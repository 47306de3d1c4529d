import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { WhyFlags } from "../../replay/why.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerWhy(replay: Command, context: CliContext): void {
  replay
    .command("why")
    .argument(
      "[what]",
      "a machine, volume, host, request, operation or event: its id, its name, APP/NAME or kind/ID",
    )
    .summary("what something came of, down from the request or policy it began with, and what it waits for")
    .option("--request <id>", "a request: the header Fly-Request-Id of its answer")
    .option("--at <moment>", "as things stood at a time, a position or an event", "now")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      "\nExample:\n  $ drover replay why hello-1\n  $ drover replay why --request 01M88G9X643ZYBWX5F0C0SQ926\n",
    )
    .action(async (what: string | undefined, flags: WhyFlags) =>
      (await import("../../replay/why.ts")).showWhy(context, what, flags),
    );
}
