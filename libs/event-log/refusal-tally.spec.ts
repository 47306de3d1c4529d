import { describe, expect, it } from "@jest/globals";
import { RefusalTally } from "./refusal-tally.ts";

describe("RefusalTally", () => {
  it("lets the first through and counts the repeats of its window", () => {
    const tally = new RefusalTally<string>();
    expect(tally.note("a", "first", 0)).toBe(true);
    expect([1, 2, 3].map((at) => tally.note("a", `again ${at}`, at))).toEqual([false, false, false]);
    expect(tally.note("b", "other", 10)).toBe(true);
    expect(tally.nextEndMs(20)).toBe(59_980);
    expect(tally.takeEnded(59_999)).toEqual([]);
    expect(tally.takeEnded(60_000)).toEqual([{ item: "again 3", count: 3 }]);
    expect(tally.note("a", "a new window", 60_001)).toBe(true);
    // Nothing was repeated: nothing more to say.
    expect(tally.takeEnded(60_010)).toEqual([]);
  });

  it("is bounded: who makes up kinds of refusals writes no more of them", () => {
    const tally = new RefusalTally<number>();
    const noted = Array.from({ length: 1_000 }, (_, index) => tally.note(`made up ${index}`, index, index));
    expect(noted.filter((isNew) => isNew)).toHaveLength(256);
    expect(tally.nextEndMs(0)).toBe(60_000);
  });
});
