import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { registerAt } from "./replay/at.ts";
import { registerBisect } from "./replay/bisect.ts";
import { registerBlame } from "./replay/blame.ts";
import { registerDiff } from "./replay/diff.ts";
import { registerExport } from "./replay/export.ts";
import { registerImport } from "./replay/import.ts";
import { registerLog } from "./replay/log.ts";
import { registerSql } from "./replay/sql.ts";
import { registerVerify } from "./replay/verify.ts";
import { registerWhatif } from "./replay/whatif.ts";
import { registerWhy } from "./replay/why.ts";

/** One line each, so that two who add one do not get into each other's way. */
const COMMANDS = [
  registerLog,
  registerAt,
  registerDiff,
  registerBlame,
  registerWhy,
  registerBisect,
  registerVerify,
  registerSql,
  registerWhatif,
  registerExport,
];

export function registerReplay(program: Command, context: CliContext): void {
  const replay = program
    .command("replay")
    .summary("the event debugger: what happened, how things stood, and why")
    .addHelpText("after", "\nExample:\n  $ drover replay log --since 10m\n");
  for (const register of COMMANDS) register(replay, context);
  for (const command of replay.commands) {
    command.option("--from <file>", "of a file that `replay export` made, instead of a cluster");
  }
  registerImport(replay, context);
}
