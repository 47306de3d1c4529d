import type { Command } from "commander";
import type { LogLine } from "#contracts";
import type { CliContext, CommonFlags } from "../context.ts";
import { findMachine } from "../machine-record.ts";
import { harmless } from "../output.ts";
import { wholeNumber } from "../settings.ts";

interface LogFlags extends CommonFlags {
  readonly follow?: boolean;
  readonly tail: string;
  readonly timestamps?: boolean;
}

export function registerLogs(program: Command, context: CliContext): void {
  program
    .command("logs")
    .argument("<machine>", "id, name, or app/name")
    .summary("show what a machine wrote to stdout and stderr")
    .option("-f, --follow", "go on until Ctrl-C")
    .option("--tail <n>", "begin with the last n lines", "100")
    .option("--timestamps", "put the time before each line")
    .option("--data <dir>", "data directory")
    .option("--json", "one JSON object per line")
    .addHelpText("after", "\nExample:\n  $ drover logs my-machine --follow\n")
    .action(async (key: string, flags: LogFlags) => logs(context, key, flags));
}

async function logs(context: CliContext, key: string, flags: LogFlags): Promise<void> {
  const tail = wholeNumber(flags.tail, "--tail", 0, 10_000);
  const api = await context.api(flags);
  const output = context.output(flags);
  const machine = await findMachine(api, key);
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const path = `/drover/v1/machines/${machine.id}/logs?tail=${tail}&follow=${flags.follow === true}`;
  for await (const line of api.stream<LogLine>(path, interrupted.signal)) {
    if (line.kind !== "line") continue;
    // A terminal is shown control characters, files and pipes get them raw.
    const time = flags.timestamps === true ? `${new Date(line.atMs).toISOString()} ` : "";
    output.line(line, `${time}${process.stdout.isTTY ? harmless(line.text) : line.text}`);
  }
}
