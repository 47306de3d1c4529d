import { describe, expect, it } from "@jest/globals";
import type { ReplayStep } from "#contracts";
import { bucketsIn, within, zoomed } from "./buckets.ts";

const BOUNDS = { fromMs: 0, toMs: 1_000 };
const COARSE = [
  { fromMs: 0, toMs: 500, events: 7, failures: 1 },
  { fromMs: 500, toMs: 1_000, events: 3, failures: 0 },
];

function at(atMs: number, failure = false): ReplayStep {
  return {
    ...{ id: `e${atMs}`, log: "L", sequence: atMs, atMs, clock: "0-0", type: "StepFailed", actor: "test" },
    ...{ correlationId: "", causationId: "", about: [], summary: "", failure, changes: [] },
  };
}

describe("the histogram's bars", () => {
  it("are those of all history where steps are missing", () => {
    const someHere = { steps: [at(100)], moreBefore: true, moreAfter: true };
    expect(bucketsIn(COARSE, { fromMs: 0, toMs: 400 }, someHere)).toEqual([COARSE[0]]);
  });

  it("are fine where all steps are at hand, and count each once", () => {
    const allHere = { steps: [at(0), at(10), at(11, true), at(1_000)], moreBefore: false, moreAfter: false };
    const bars = bucketsIn(COARSE, BOUNDS, allHere);
    expect(bars.length).toBeGreaterThan(100);
    expect(bars.reduce((sum, { events }) => sum + events, 0)).toBe(4);
    expect(bars.reduce((sum, { failures }) => sum + failures, 0)).toBe(1);
  });
});

describe("looking closer", () => {
  it("keeps the place under the pointer where it is", () => {
    expect(zoomed(BOUNDS, 250, 0.4, BOUNDS)).toEqual({ fromMs: 150, toMs: 550 });
  });

  it("ends at all of history, and at its edges", () => {
    expect(zoomed({ fromMs: 150, toMs: 550 }, 250, 10, BOUNDS)).toBe(BOUNDS);
    expect(within({ fromMs: -50, toMs: 150 }, BOUNDS)).toEqual({ fromMs: 0, toMs: 200 });
    expect(within({ fromMs: 900, toMs: 1_100 }, BOUNDS)).toEqual({ fromMs: 800, toMs: 1_000 });
  });
});
