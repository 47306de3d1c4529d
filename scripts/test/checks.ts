import { spawn } from "node:child_process";
import { ROOT } from "./project.ts";

/** Something that a run proves besides the specs. */
export interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const NODE = process.execPath;

export const CHECKS: readonly Check[] = [
  {
    name: "type check",
    command: [NODE, "node_modules/typescript-7/bin/tsc", "-p", "tsconfig.json", "--noEmit"],
  },
  { name: "lint", command: [NODE, "node_modules/@biomejs/biome/bin/biome", "check", "."] },
  { name: "build", command: ["sh", "scripts/build.sh"] },
];

/** Runs a check with its output on stderr; says whether it passed. */
export async function runCheck(check: Check): Promise<boolean> {
  const passed = (await run(check.command)) === 0;
  console.error(`${passed ? "ok" : "FAILED"}: ${check.name}`);
  return passed;
}

/** Runs a program at the root with all its output on stderr; resolves to its exit code, or 1 when a signal ended it. */
export async function run(
  [program, ...words]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(program, words, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", 2, 2],
  });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => done(code ?? 1));
  });
}
