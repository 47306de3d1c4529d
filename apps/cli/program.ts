import { Command } from "commander";
import { registerApps } from "./commands/apps.ts";
import { registerBench } from "./commands/bench.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerCompose } from "./commands/compose.ts";
import { registerConsole } from "./commands/console.ts";
import { registerDown } from "./commands/down.ts";
import { registerEvents } from "./commands/events.ts";
import { registerExec } from "./commands/exec.ts";
import { registerHosts } from "./commands/hosts.ts";
import { registerImage } from "./commands/image.ts";
import { registerLifecycle } from "./commands/lifecycle.ts";
import { registerLogs } from "./commands/logs.ts";
import { registerMachines } from "./commands/machines.ts";
import { registerReadModel } from "./commands/read-model.ts";
import { registerReplay } from "./commands/replay.ts";
import { registerRun } from "./commands/run.ts";
import { registerStatus } from "./commands/status.ts";
import { registerTokens } from "./commands/tokens.ts";
import { registerUp } from "./commands/up.ts";
import { registerVolumes } from "./commands/volumes.ts";
import type { CliContext } from "./context.ts";

/** All commands. */
export function makeProgram(context: CliContext, version: string): Command {
  const program = new Command("drover")
    .description("Machines on plain Linux servers: every state transition an event, each host its own truth.")
    .version(version)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addHelpText(
      "after",
      `
  test [pattern] [--full] [--faults]   run what proves the project

Example:
  $ drover up --detach && drover run oci:./image && drover status
`,
    );
  for (const register of [
    registerUp,
    registerDown,
    registerStatus,
    registerRun,
    registerImage,
    registerMachines,
    registerEvents,
    registerLifecycle,
    registerLogs,
    registerExec,
    registerVolumes,
    registerApps,
    registerHosts,
    registerTokens,
    registerReadModel,
    registerReplay,
    registerConsole,
    registerBench,
    registerCompletion,
    registerCompose,
  ]) {
    register(program, context);
  }
  inherit(program);
  return program;
}

/** Every subcommand reports errors the same way: one line, written by `main`. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}
