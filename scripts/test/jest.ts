import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./checks.ts";
import { ROOT } from "./project.ts";
import { add, type Totals } from "./totals.ts";

/** What is read of the result that jest writes. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Spec files that did not even load: none of their tests is counted anywhere else. */
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults?: readonly SpecResult[];
}

interface SpecResult {
  /** Its absolute path. */
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const RESULT_FILE = join(ROOT, ".drover/test-result.json");

/** More failed specs than these are no accident of a busy machine. */
const MOST_SECOND_RUNS = 12;

/**
 * Runs the specs whose path matches any of the patterns; all when there is none. Specs start whole clusters on two cores
 * whose disk syncs they share, so one that failed beside others is run once more, alone: only what fails then has failed.
 */
export async function runJest(request: {
  readonly patterns: readonly string[];
  readonly full: boolean;
}): Promise<Totals> {
  const first = await runOnce(["--maxWorkers=2", ...request.patterns], request.full);
  const failed = failedSpecs(first.result);
  if (failed.length === 0 || failed.length > MOST_SECOND_RUNS) return totalsOf(first.exitCode, first.result);
  console.error(
    `\nfailed beside others, run once more alone:\n${failed.map(({ name }) => `  ${name}`).join("\n")}\n`,
  );
  const second = await runOnce(
    ["--runInBand", "--runTestsByPath", ...failed.map(({ name }) => name)],
    request.full,
  );
  return secondChance(first.result!, second.exitCode, second.result);
}

async function runOnce(
  args: readonly string[],
  full: boolean,
): Promise<{ readonly exitCode: number; readonly result: JestResult | undefined }> {
  rmSync(RESULT_FILE, { force: true });
  const jest = join(ROOT, "node_modules/jest/bin/jest.js");
  // What a spec leaves open must not keep a run from its end: the result is written, and the run is over.
  const words = ["--forceExit", "--json", `--outputFile=${RESULT_FILE}`, ...args];
  const exitCode = await run([process.execPath, jest, ...words], {
    NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
    DROVER_FULL: full ? "1" : "0",
  });
  return { exitCode, result: readResult() };
}

function failedSpecs(result: JestResult | undefined): readonly SpecResult[] {
  return (result?.testResults ?? []).filter((spec) => spec.status === "failed");
}

/** The totals when the specs that failed were run again: their first results do not count, their second ones do. */
export function secondChance(first: JestResult, exitCode: number, second: JestResult | undefined): Totals {
  const again = totalsOf(exitCode, second);
  const discounted = failedSpecs(first)
    .flatMap((spec) => spec.assertionResults)
    .filter(({ status }) => status === "passed").length;
  return add(again, {
    passed: first.numPassedTests - discounted,
    skipped: first.numPendingTests + first.numTodoTests - again.skipped,
  });
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
