import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS } from "./fault-table.ts";
import { ROOT } from "./project.ts";

/** A row of the fault table and the tests named after it, each as "file: title". */
export interface CoveredFault {
  readonly row: string;
  readonly title: string;
  readonly tests: readonly string[];
}

/** A test's title that begins with the rows it proves: "F19: …" or "F19, F28: …". */
const TITLE = /(["'`])((?:F\d\d)(?:, F\d\d)*): (.*?)\1/g;

/** Which rows the spec files of the project name. */
export function faultCoverage(): CoveredFault[] {
  const files = globSync("{apps,libs,test,scripts}/**/*.spec.ts", { cwd: ROOT }).sort();
  return coverageOf(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
}

/** The same over the given files' texts. Throws for a row that the table does not have. */
export function coverageOf(specs: readonly (readonly [file: string, text: string])[]): CoveredFault[] {
  const tests = new Map<string, string[]>(Object.keys(FAULTS).map((row) => [row, []]));
  for (const [file, text] of specs) {
    for (const [, , rows, title] of text.matchAll(TITLE)) {
      for (const row of rows!.split(", ")) {
        const named = tests.get(row);
        if (named === undefined)
          throw new Error(`${file}: there is no fault ${row}; see scripts/test/fault-table.ts`);
        named.push(`${file}: ${title}`);
      }
    }
  }
  return Object.entries(FAULTS).map(([row, title]) => ({ row, title, tests: tests.get(row)! }));
}

export function faultReport(coverage: readonly CoveredFault[]): string {
  const lines = coverage.flatMap(({ row, title, tests }) => [
    `${row}  ${tests.length === 0 ? "no test  " : "tested   "}${title}`,
    ...tests.map((test) => `       ${test}`),
  ]);
  const tested = coverage.filter((fault) => fault.tests.length > 0).length;
  return [...lines, "", `${tested} of ${coverage.length} rows have a test`].join("\n");
}
