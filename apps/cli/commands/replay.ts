import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { AtFlags, LogFlags } from "../replay/commands.ts";
import type { WhyFlags } from "../replay/why.ts";

/** Loaded when it is needed: most commands shall start fast. */
function implementation() {
  return import("../replay/commands.ts");
}

/** Likewise. */
function explanation() {
  return import("../replay/why.ts");
}

export function registerReplay(program: Command, context: CliContext): void {
  const replay = program
    .command("replay")
    .summary("the event debugger: what happened, and how things stood")
    .addHelpText("after", "\nExample:\n  $ drover replay log --since 10m\n");
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
    .action(async (flags: LogFlags) => (await implementation()).log(context, flags));
  replay
    .command("at")
    .argument("<moment>", "now, a time, a position (LOG:SEQUENCE,…) or an event's id")
    .summary("the state of everything at a moment, folded from the events up to it")
    .option("--machine <id>", "one machine only (whole id)")
    .option("--volume <id>", "one volume and its snapshots only (whole id)")
    .option("--host <id>", "one host only")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover replay at 2026-11-24T12:00:00Z --host host-1\n")
    .action(async (moment: string, flags: AtFlags) => (await implementation()).at(context, moment, flags));
  replay
    .command("why")
    .summary("what became of a request that had to wait, was retried or refused, and what it set in motion")
    .requiredOption("--request <id>", "its id: the header Fly-Request-Id of the answer")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover replay why --request 01M88G9X643ZYBWX5F0C0SQ926\n")
    .action(async (flags: WhyFlags) => (await explanation()).why(context, flags));
}
