import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { CliContext, CommonFlags } from "../context.ts";
import { wholeNumber } from "../settings.ts";

const SUFFIX = ".bench.js";

interface BenchFlags extends CommonFlags {
  readonly events?: string;
}

export function registerBench(program: Command, context: CliContext): void {
  program
    .command("bench")
    .argument("[name]", "which one (default: all)")
    .summary("measure: tables of figures and ratios")
    .option("--events <n>", "how long a history log and replay are measured with (default: 1,000,000)")
    .option("--json", "one JSON object per benchmark")
    .addHelpText("after", "\nExample:\n  $ drover bench log\n")
    .action(async (name: string | undefined, flags: BenchFlags) => bench(context, name, flags));
}

async function bench(context: CliContext, name: string | undefined, flags: BenchFlags): Promise<void> {
  const events =
    flags.events === undefined ? [] : [`--events=${wholeNumber(flags.events, "--events", 10_000, 1e8)}`];
  const folder = join(context.root, "dist/test/bench");
  const all = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(SUFFIX)) : [];
  const names = all.map((file) => file.slice(0, -SUFFIX.length)).sort();
  if (name !== undefined && !names.includes(name)) {
    throw new RefusedError(refusal("not_found", `no benchmark ${name}: there are ${names.join(", ")}`));
  }
  for (const each of name === undefined ? names : [name]) {
    const code = await runBench(context, join(folder, each + SUFFIX), [
      ...events,
      ...(flags.json === true ? ["--json"] : []),
    ]);
    if (code !== 0) throw new RefusedError(refusal("effect_failed", `benchmark ${each} ended with ${code}`));
  }
}

/** In a process of its own and from the project's folder: one benchmark must not warm another's code. */
async function runBench(context: CliContext, file: string, words: readonly string[]): Promise<number> {
  const args = ["--enable-source-maps", file, ...words];
  const child = spawn(process.execPath, args, { cwd: context.root, stdio: "inherit" });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => done(code ?? 1));
  });
}
