import { describe, expect, it } from "@jest/globals";
import { type JestResult, secondChance, totalsOf } from "./jest.ts";
import { add, closingLine, failures, NOTHING } from "./totals.ts";

const GOOD: JestResult = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

describe("the totals of a run", () => {
  it("count passed tests and checks", () => {
    expect(closingLine(add({ passed: 2, failed: 0, skipped: 0 }, totalsOf(0, GOOD)))).toBe(
      "5 passed, 0 failed",
    );
  });

  it.each<[string, number, JestResult | undefined]>([
    ["a failed test", 1, { ...GOOD, numFailedTests: 1 }],
    ["a spec that does not load", 1, { ...GOOD, numRuntimeErrorTestSuites: 1 }],
    ["a run that ended badly for another reason", 1, GOOD],
    ["a run that wrote no result", 0, undefined],
    ["a pattern that matches nothing", 0, { ...GOOD, numPassedTests: 0 }],
  ])("count %s as a failure", (_name, exitCode, result) => {
    expect(totalsOf(exitCode, result).failed).toBe(1);
  });

  it("fail a run of nothing at all", () => {
    expect(failures(NOTHING)).toBe(1);
  });

  it("mention skipped tests", () => {
    expect(closingLine({ passed: 1, failed: 0, skipped: 2 })).toBe("1 passed, 0 failed, 2 skipped");
  });

  it("count a spec that failed beside others by what it does alone", () => {
    const shaky = {
      name: "/a.spec.ts",
      status: "failed",
      assertionResults: [{ status: "passed" }, { status: "failed" }],
    };
    const first = { ...GOOD, numFailedTests: 1, testResults: [shaky] };
    const alone = { ...GOOD, numPassedTests: 2 };
    expect(secondChance(first, 0, alone)).toEqual({ passed: 4, failed: 0, skipped: 0 });
    expect(secondChance(first, 1, { ...GOOD, numPassedTests: 1, numFailedTests: 1 }).failed).toBe(1);
    expect(secondChance(first, 1, undefined).failed).toBe(1);
  });
});
