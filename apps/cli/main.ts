import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { RefusedError, refusal } from "#kernel";
import { CliContext } from "./context.ts";
import { errorJson, errorLine } from "./output.ts";
import { makeProgram } from "./program.ts";
import { readEnvironment } from "./settings.ts";

/** The compiled file is dist/apps/cli/main.js. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { version: string };
const context = new CliContext(readEnvironment(process.env), root);

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // `drover machines | head`: the reader has seen enough.
  if (error.code === "EPIPE") process.exit(0);
  process.exit(report(error));
});
// Nobody is left to be told anything.
process.stderr.on("error", () => process.exit(1));
// Whatever nobody waited for is an error like any other: one line.
process.on("uncaughtException", (error) => process.exit(report(error)));

try {
  await makeProgram(context, version).parseAsync(process.argv);
} catch (thrown) {
  process.exitCode = report(thrown);
}

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  // Help that was shown in place of a missing command.
  if (thrown instanceof CommanderError && thrown.code === "commander.help") return 2;
  const usage = thrown instanceof CommanderError;
  const line = usage ? usageLine(thrown) : errorLine(thrown);
  process.stderr.write(
    `${isJsonWanted() ? errorJson(usage ? new RefusedError(refusal("invalid", line)) : thrown) : `drover: ${line}`}\n`,
  );
  return usage ? 2 : 1;
}

/** What commander says, and where the command's own words are found. */
function usageLine(error: CommanderError): string {
  const line = errorLine(error)
    .replace(/^error: /, "")
    .replace(/\.$/, "");
  const words = process.argv.slice(2).filter((word) => /^[a-z]+$/.test(word));
  if (words[0] === "exec" && error.code === "commander.unknownOption")
    return `${line}: the command comes after --, as in drover exec my-machine -- ls -l`;
  if (words[0] === "run" && error.code === "commander.unknownOption")
    return `${line}: the machine's own command comes after --, as in drover run IMAGE -- sh -c 'echo hello'`;
  const known = error.code === "commander.unknownCommand" ? [] : words.slice(0, 1);
  return `${line}: see ${["drover", ...known, "--help"].join(" ")}`;
}

/** As a flag of ours: behind -- it is the machine's own. */
function isJsonWanted(): boolean {
  const [own] = process.argv.join("\0").split("\0--\0");
  return own!.split("\0").includes("--json");
}
