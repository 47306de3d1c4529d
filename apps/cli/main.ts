import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
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
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

try {
  await makeProgram(context, version).parseAsync(process.argv);
} catch (thrown) {
  process.exitCode = report(thrown);
}

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const json = process.argv.includes("--json");
  const line =
    thrown instanceof CommanderError ? errorLine(thrown).replace(/^error: /, "") : errorLine(thrown);
  process.stderr.write(`${json ? errorJson(thrown) : `drover: ${line}`}\n`);
  return thrown instanceof CommanderError ? 2 : 1;
}
