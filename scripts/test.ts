/** `./drover test`: type check, build, lint, then every spec. Runs on Node's own type stripping, so a broken build is reported. */
import { parseArgs } from "node:util";
import { CHECKS, runCheck } from "./test/checks.ts";
import { faultCoverage, faultReport } from "./test/faults.ts";
import { runJest } from "./test/jest.ts";
import { add, closingLine, failures, NOTHING, type Totals } from "./test/totals.ts";

const HELP = `Usage: ./drover test [pattern] [--full] [--faults] [--json]

Proves the project: type check, build, lint, then the specs whose path matches the pattern (all without one).

  --full    run every case of every matrix
  --faults  run nothing; list which rows of the fault table have a test
  --json    print one JSON object and nothing else on stdout

Example: ./drover test libs/machines
`;

interface Request {
  readonly patterns: readonly string[];
  readonly full: boolean;
  readonly faults: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

function parse(words: readonly string[]): Request {
  const flag = { type: "boolean", default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { full: flag, faults: flag, json: flag, help: { ...flag, short: "h" } },
  });
  return { ...values, patterns: positionals.slice(1) };
}

async function prove(request: Request): Promise<Totals> {
  let totals = NOTHING;
  for (const check of CHECKS) {
    const passed = await runCheck(check);
    totals = add(totals, passed ? { passed: 1 } : { failed: 1 });
    // Specs of whole processes run what was built: the last build would answer for sources that are gone.
    if (!passed && check.name === "build") {
      console.error("no spec was run: mend the build first");
      return totals;
    }
  }
  return add(totals, await runJest(request));
}

async function main(): Promise<void> {
  const request = parse(process.argv.slice(2));
  if (request.help) {
    process.stdout.write(HELP);
  } else if (request.faults) {
    const coverage = faultCoverage();
    console.log(request.json ? JSON.stringify(coverage) : faultReport(coverage));
  } else {
    const totals = await prove(request);
    console.log(request.json ? JSON.stringify(totals) : closingLine(totals));
    process.exitCode = failures(totals) === 0 ? 0 : 1;
  }
}

try {
  await main();
} catch (error) {
  console.error(`drover: ${error instanceof Error ? error.message : error} (try ./drover test --help)`);
  process.exitCode = 1;
}
