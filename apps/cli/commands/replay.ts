import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { registerAt } from "./replay/at.ts";
import { registerBlame } from "./replay/blame.ts";
import { registerDiff } from "./replay/diff.ts";
import { registerLog } from "./replay/log.ts";
import { registerSql } from "./replay/sql.ts";
import { registerWhy } from "./replay/why.ts";

export function registerReplay(program: Command, context: CliContext): void {
  const replay = program
    .command("replay")
    .summary("the event debugger: what happened, how things stood, and why")
    .addHelpText("after", "\nExample:\n  $ drover replay log --since 10m\n");
  for (const register of [registerLog, registerAt, registerDiff, registerBlame, registerWhy, registerSql])
    register(replay, context);
  for (const command of replay.commands) {
    command.option("--from <file>", "of a file that `replay export` made, instead of a cluster");
  }
}
