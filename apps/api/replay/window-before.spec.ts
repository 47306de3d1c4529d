import { describe, expect, it } from "@jest/globals";
import { windowBefore } from "./window-before.ts";

const bucket = (fromMs: number, events: number) => ({ fromMs, toMs: fromMs + 100, events, failures: 0 });
const extent = {
  firstMs: 1_000,
  lastMs: 1_399,
  events: 600,
  buckets: [bucket(1_000, 500), bucket(1_100, 0), bucket(1_200, 0), bucket(1_300, 100)],
};

describe("how far to look back for so many events", () => {
  it.each([
    ["a part of the last stretch", 1_399, 40, 50],
    ["over what is empty", 1_399, 160, 320],
    ["from within it", 1_250, 40, 161],
    ["all the way when there are fewer", 1_399, 1_000, 400],
    ["beyond the end", 1_499, 40, 150],
    ["before the beginning", 500, 40, 1],
  ])("%s", (_what, endMs, count, windowMs) => {
    expect(windowBefore(extent, endMs, count)).toBeCloseTo(windowMs, 0);
  });

  it("is nothing in an empty history", () => {
    expect(windowBefore({ firstMs: 0, lastMs: 0, events: 0, buckets: [] }, 0, 10)).toBe(1);
  });
});
