import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import type { AtFlags } from "../../replay/at.ts";

/** The implementation is loaded when it is needed: most commands shall start fast. */
export function registerAt(replay: Command, context: CliContext): void {
  replay
    .command("at")
    .argument("<moment>", "now, a time, a position (LOG:SEQUENCE,…) or an event's id")
    .summary("the state of everything at a moment, folded from the events up to it")
    .option("--machine <machine>", "one machine only (id or name)")
    .option("--volume <volume>", "one volume and its snapshots only (id or name)")
    .option("--host <id>", "one host only")
    .option("--app <name>", "one app, with its machines and volumes")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover replay at 2026-11-24T12:00:00Z --host host-1\n")
    .action(async (moment: string, flags: AtFlags) =>
      (await import("../../replay/at.ts")).at(context, moment, flags),
    );
}
