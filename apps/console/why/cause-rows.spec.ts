import { describe, expect, it } from "@jest/globals";
import type { ReplayCause } from "#contracts";
import { causeRows, worksOf } from "./cause-rows.ts";

const cause = (kind: string, atMs: number, durationMs: number | undefined, ...children: ReplayCause[]) => ({
  ...{ kind, title: `${kind} ${atMs}`, atMs, children },
  ...(durationMs === undefined ? {} : { durationMs }),
});

const START = cause(
  "operation",
  10,
  80,
  cause("step", 10, 30),
  cause("step", 40, 50),
  cause("event", 90, undefined),
);
const WAKE = cause("request", 0, 100, cause("command", 5, undefined, START));
const LIFE = cause("request", 0, 9_000_000, cause("command", 5, undefined, START));

describe("the causal graph's rows", () => {
  it("come from top to bottom, each below what led to it", () => {
    const rows = causeRows([WAKE], new Set());
    expect(rows.map(({ cause: { kind }, depth, parent }) => [kind, depth, parent])).toEqual([
      ["request", 0, undefined],
      ["command", 1, 0],
      ["operation", 2, 1],
      ["step", 3, 2],
      ["step", 3, 2],
      ["event", 3, 2],
    ]);
  });

  it("leave out what is folded", () => {
    expect(causeRows([WAKE], new Set(["0.0"])).map(({ cause: { kind } }) => kind)).toEqual([
      "request",
      "command",
    ]);
  });
});

describe("the waterfall", () => {
  it("shows a wake's request over its operation and steps", () => {
    const [work] = worksOf([WAKE]);
    expect(work!.map(({ kind, depth }) => [kind, depth])).toEqual([
      ["request", 0],
      ["operation", 1],
      ["step", 2],
      ["step", 2],
    ]);
  });

  it("leaves out a request that lasts as long as a life", () => {
    expect(worksOf([LIFE])[0]!.map(({ kind }) => kind)).toEqual(["operation", "step", "step"]);
  });

  it("tells operations in the order of time", () => {
    const later = cause("operation", 500, 10, cause("step", 500, 10));
    expect(worksOf([later, WAKE]).map(([first]) => first.kind)).toEqual(["request", "operation"]);
  });
});
