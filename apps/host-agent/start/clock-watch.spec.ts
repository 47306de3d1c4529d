import { describe, expect, it } from "@jest/globals";
import { formatHybridTime, SimulatedClock } from "#kernel";
import { ClockWatch } from "./clock-watch.ts";

const NOW_MS = 1_764_000_000_000;

function told(...seenMs: number[]): string[] {
  const messages: string[] = [];
  const watch = new ClockWatch(new SimulatedClock(NOW_MS), (message) => messages.push(message));
  watch.note(undefined, "nobody");
  for (const ms of seenMs) watch.note(formatHybridTime(ms, 3), "its own log");
  return messages;
}

describe("F20: ClockWatch", () => {
  it("is silent about a drift of a minute, in either direction", () => {
    expect(told(NOW_MS, NOW_MS - 60_000, NOW_MS + 60_000)).toEqual([]);
  });

  it("says how far the clock is behind, and ahead", () => {
    expect(told(NOW_MS + 3_600_000)).toEqual([expect.stringContaining("3600 s behind that of its own log")]);
    expect(told(NOW_MS - 120_000)).toEqual([expect.stringContaining("120 s ahead of that of its own log")]);
  });

  it("says it once", () => {
    expect(told(NOW_MS - 120_000, NOW_MS - 180_000)).toHaveLength(1);
  });
});
