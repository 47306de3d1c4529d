import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { ImportFlags } from "../../replay/import.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerImport(replay: Command, context: CliContext): void {
  replay
    .command("import")
    .argument("<file>", "a file that `replay export` made")
    .summary("checks a file of events and folds it in memory, apart from any cluster; says what is in it")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      `
Nothing is written and no cluster is asked. Go on with --from FILE, which every command of the debugger takes.

Example:
  $ drover replay import incident.ndjson
`,
    )
    .action(async (file: string, flags: ImportFlags) =>
      (await import("../../replay/import.ts")).importFile(context, file, flags),
    );
}
