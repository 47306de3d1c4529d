import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { LogFlags } from "../../replay/log.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerLog(replay: Command, context: CliContext): void {
  replay
    .command("log")
    .summary("all events, in causal order across hosts")
    .option("--machine <machine>", "of one machine (id or name)")
    .option("--volume <volume>", "of one volume and its snapshots (id or name)")
    .option("--host <id>", "of one host's log")
    .option("--app <name>", "of one app and its machines")
    .option("--type <name>", "of one type, e.g. MachineStarted; may be given again", gathered, [])
    .option("--actor <who>", "that somebody asked for: token:ID, or a whole kind: token, host, router")
    .option("--correlation <id>", "that one request or command set in motion")
    .option(
      "--since <moment>",
      "from a time on (2026-11-24T12:00:00Z, or 10m for ten minutes ago), or after a position or an event's id",
    )
    .option("--until <moment>", "up to a time, a position, or an event's id")
    .option("-f, --follow", "go on with what happens, until Ctrl-C; without --since from now on")
    .option("--limit <n>", "the first n only")
    .option("--data <dir>", "data directory")
    .option("--json", "one JSON object per event")
    .addHelpText(
      "after",
      "\nExample:\n  $ drover replay log --since 10m --app hello --type MachineStarted --type MachineExited\n",
    )
    .action(async (flags: LogFlags) => (await import("../../replay/log.ts")).log(context, flags));
}

function gathered(name: string, before: readonly string[]): readonly string[] {
  return [...before, name];
}
