import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { LogFlags } from "../../replay/commands.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerLog(replay: Command, context: CliContext): void {
  replay
    .command("log")
    .summary("all events, in causal order across hosts")
    .option("--machine <id>", "of one machine (whole id)")
    .option("--volume <id>", "of one volume and its snapshots (whole id)")
    .option("--host <id>", "of one host's log")
    .option("--app <name>", "of one app and its machines")
    .option("--type <name>", "of one type, e.g. MachineStarted")
    .option(
      "--since <moment>",
      "from a time on (2026-11-24T12:00:00Z, or 10m for ten minutes ago), or after a position or an event's id",
    )
    .option("--until <moment>", "up to a time, a position, or an event's id")
    .option("--data <dir>", "data directory")
    .option("--json", "one JSON object per event")
    .addHelpText("after", "\nExample:\n  $ drover replay log --since 10m --app hello\n")
    .action(async (flags: LogFlags) => (await import("../../replay/commands.ts")).log(context, flags));
}
