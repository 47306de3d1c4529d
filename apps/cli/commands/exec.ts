import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { ExecFlags } from "../exec/exec.ts";

export function registerExec(program: Command, context: CliContext): void {
  program
    .command("exec")
    .summary("run a command in a running machine, or a shell at your terminal")
    .description(
      "Runs a command beside a machine's own process, as the same user, and ends with its exit code. It lives no longer " +
        "than this command: a closed terminal or a lost connection kills it.",
    )
    .argument("<machine>", "id, name, or app/name")
    .argument(
      "[command...]",
      "program and arguments, behind --; a shell when you sit at a terminal and name none",
    )
    .option("-t, --tty", "at a terminal: keys, colours and window size are passed on")
    .option("-i, --stdin", "let it read what this command reads")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only, once it has ended")
    .addHelpText(
      "after",
      "\nExample:\n  $ drover exec my-machine -- ls -l /\n  $ drover exec my-machine --tty -- sh\n  $ drover exec my-machine --stdin -- tar x <files.tar\n",
    )
    .action(async (key: string, words: string[], flags: ExecFlags) => {
      // Loaded when it is needed: it brings all schemas, and `--help` shall be quick.
      const { exec } = await import("../exec/exec.ts");
      await exec(context, key, words, flags);
    });
}
