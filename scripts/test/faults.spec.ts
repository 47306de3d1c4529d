import { describe, expect, it } from "@jest/globals";
import { coverageOf, faultCoverage, faultReport } from "./faults.ts";

/** A spec's text whose test is named after the rows. Put together here, so that this file names none itself. */
function spec(rows: string, title: string): string {
  return `it(${JSON.stringify(`${rows}: ${title}`)}, () => {});`;
}

describe("fault coverage", () => {
  it("finds a row in the name of a test, and several in one name", () => {
    const coverage = coverageOf([
      ["a.spec.ts", spec("F07", "drift is found")],
      ["b.spec.ts", spec("F07, F10", "a rebuild heals it")],
    ]);
    expect(coverage.find((fault) => fault.row === "F07")?.tests).toEqual([
      "a.spec.ts: drift is found",
      "b.spec.ts: a rebuild heals it",
    ]);
    expect(coverage.filter((fault) => fault.tests.length > 0).map((fault) => fault.row)).toEqual([
      "F07",
      "F10",
    ]);
  });

  it("does not take a mention for a test", () => {
    const coverage = coverageOf([["a.spec.ts", "// F07: to be done"]]);
    expect(coverage.every((fault) => fault.tests.length === 0)).toBe(true);
  });

  it("refuses a row that the table does not have", () => {
    expect(() => coverageOf([["a.spec.ts", spec("F53", "who knows")]])).toThrow(
      "a.spec.ts: there is no fault F53",
    );
  });

  it("reports all 52 rows", () => {
    expect(faultReport(faultCoverage())).toMatch(/\d+ of 52 rows have a test$/);
  });
});
