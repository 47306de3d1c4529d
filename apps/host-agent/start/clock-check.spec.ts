import { describe, expect, it } from "@jest/globals";
import { formatHybridTime } from "#kernel";
import { clockAlarm } from "./clock-check.ts";

describe("F20: clockAlarm", () => {
  const lastEvent = formatHybridTime(1_764_000_000_000, 3);

  it.each([
    ["a log without events", 0, undefined],
    ["a clock that is ahead: time has passed", 1_764_900_000_000, lastEvent],
    ["a clock that is a little behind", 1_764_000_000_000 - 60_000, lastEvent],
  ])("is silent for %s", (_, nowMs, last) => {
    expect(clockAlarm(nowMs, last)).toBeUndefined();
  });

  it("says how far the clock is behind", () => {
    expect(clockAlarm(1_764_000_000_000 - 3_600_000, lastEvent)).toMatch(/3600 s behind/);
  });
});
