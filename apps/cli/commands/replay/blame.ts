import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { BlameFlags } from "../../replay/blame.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerBlame(replay: Command, context: CliContext): void {
  replay
    .command("blame")
    .argument(
      "<what>",
      "a machine, or one of its fields: ID.state, NAME.config.guest, APP/NAME, volume/ID, host/ID.cordon",
    )
    .summary("which event set each field of a machine, volume, host or app, by whom and from which command")
    .option("--at <moment>", "as things stood at a time, a position or an event", "now")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover replay blame hello-1.state --at 10m\n")
    .action(async (what: string, flags: BlameFlags) =>
      (await import("../../replay/blame.ts")).showBlame(context, what, flags),
    );
}
