import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { DiffFlags } from "../../replay/diff.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerDiff(replay: Command, context: CliContext): void {
  replay
    .command("diff")
    .argument("<from>", "now, a time, a position (LOG:SEQUENCE,…) or an event's id")
    .argument("[to]", "likewise", "now")
    .summary("what is otherwise at one moment than at another, each change with the event that made it")
    .option("--machine <machine>", "of one machine only (id or name)")
    .option("--volume <volume>", "of one volume only (id or name)")
    .option("--host <host>", "of one host only, and of what is or was there")
    .option("--app <app>", "of one app only, with its machines and volumes")
    .option("--all", "every change on the way, also where all is as it was in the end")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover replay diff 10m now --app hello\n")
    .action(async (from: string, to: string, flags: DiffFlags) =>
      (await import("../../replay/diff.ts")).showDiff(context, from, to, flags),
    );
}
