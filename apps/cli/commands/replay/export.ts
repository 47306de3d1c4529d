import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { ExportFlags } from "../../replay/export.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerExport(replay: Command, context: CliContext): void {
  replay
    .command("export")
    .summary("history as a file: a stretch of it, or the least part that shows a mistake, with a test of it")
    .requiredOption("--out <path>", "FILE.ndjson for a stretch as it is; a folder for a slice and its test")
    .option("--invariant <name|expression>", "a slice that breaks this, as history does")
    .option("--event <id>", "a slice that leads to this event, which changes what it changed")
    .option("--machine <machine>", "what is about one machine (id or name): how it came to be as it is")
    .option("--host <host>", "what is about one host")
    .option("--volume <volume>", "what is about one volume (id or name)")
    .option("--app <app>", "what is about one app, its machines and its volumes")
    .option(
      "--since <moment>",
      "begin there, with the state before: a time, or after a position or an event's id",
    )
    .option("--until <moment>", "end there: a time, a position, or an event's id")
    .option("--name <name>", "of the slice's files; made from what it shows when left out")
    .option("--no-minimise", "keep events of a slice that it does not need")
    .option("--max-runs <n>", "tries at the most while a slice is made small", "2000")
    .option("--no-redact", "keep secrets as they are: environments, files, arguments, tokens' hashes")
    .option("--force", "write over files that are there")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      `
A slice goes into two files: NAME.ndjson, which every command of the debugger takes with --from, and NAME.spec.ts,
a test that lives through it again with the code of this project and fails for as long as the mistake is made.
Put them below test/, and run the test with: drover test NAME

Example:
  $ drover replay export --invariant no-overcommit --out test/slices
  $ drover replay export --since 1h --out incident.ndjson
`,
    )
    .action(async (flags: ExportFlags) =>
      (await import("../../replay/export.ts")).exportHistory(context, flags),
    );
}
