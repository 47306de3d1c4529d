import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./checks.ts";
import { ROOT } from "./project.ts";
import type { Totals } from "./totals.ts";

/** What is read of the result that jest writes. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Spec files that did not even load: none of their tests is counted anywhere else. */
  readonly numRuntimeErrorTestSuites: number;
}

const RESULT_FILE = join(ROOT, ".drover/test-result.json");

/** Runs the specs whose path matches any of the patterns; all when there is none. */
export async function runJest(request: {
  readonly patterns: readonly string[];
  readonly full: boolean;
}): Promise<Totals> {
  rmSync(RESULT_FILE, { force: true });
  const exitCode = await run(
    [
      process.execPath,
      join(ROOT, "node_modules/jest/bin/jest.js"),
      "--maxWorkers=2",
      "--json",
      `--outputFile=${RESULT_FILE}`,
      ...request.patterns,
    ],
    {
      NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
      DROVER_FULL: request.full ? "1" : "0",
    },
  );
  return totalsOf(exitCode, readResult());
}

function readResult(): JestResult | undefined {
  try {
    return JSON.parse(readFileSync(RESULT_FILE, "utf8"));
  } catch {
    return undefined;
  }
}

/** Jest's result as totals. Whatever made it end badly without a failed test counts as one: a failure never gets lost. */
export function totalsOf(exitCode: number, result: JestResult | undefined): Totals {
  if (result === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const ran = result.numPassedTests + result.numFailedTests;
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && (exitCode !== 0 || ran === 0) ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}
