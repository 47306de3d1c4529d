import { describe, expect, it } from "@jest/globals";
import type { ReplayStep } from "#contracts";
import { CHUNK, MOST_STEPS, StepWindow } from "./step-window.ts";

function steps(from: number, count: number): ReplayStep[] {
  return Array.from({ length: count }, (_, place) => ({
    ...{ id: `e${from + place}`, log: "L", sequence: from + place, atMs: 10 * (from + place), clock: "0-0" },
    ...{ type: "MachineStarted", actor: "test", correlationId: "", causationId: "", about: [], summary: "" },
    ...{ failure: false, changes: [] },
  }));
}

describe("the steps at hand", () => {
  it("find a time among them, and only among them", () => {
    const window = new StepWindow();
    window.reset(steps(1, 3), steps(4, 3));
    expect(window.current?.id).toBe("e3");
    expect(window.next?.id).toBe("e4");
    expect([9, 10, 35, 60, 99].map((atMs) => window.cursorAt(atMs))).toEqual([0, 1, 3, 6, 6]);
    window.moreBefore = true;
    window.moreAfter = true;
    expect([9, 10, 60].map((atMs) => window.cursorAt(atMs))).toEqual([undefined, 1, undefined]);
  });

  it("find an event by its id and by its place", () => {
    const window = new StepWindow();
    window.reset(steps(1, 3), []);
    expect(window.cursorAfter("e2")).toBe(2);
    expect(window.cursorAfter("L:3@0-0")).toBe(3);
    expect(window.cursorAfter("e9")).toBeUndefined();
  });

  it("drop those that are far behind while playing, and remember that there were some", () => {
    const window = new StepWindow();
    window.reset([], steps(1, CHUNK));
    for (let from = CHUNK + 1; from < 40 * CHUNK; from += CHUNK) {
      window.cursor = window.steps.length;
      window.append(steps(from, CHUNK), true);
    }
    expect(window.steps.length).toBeLessThanOrEqual(MOST_STEPS + CHUNK);
    expect(window.moreBefore).toBe(true);
    expect(window.current?.sequence).toBe(window.next!.sequence - 1);
  });

  it("drop those that are far ahead while going back", () => {
    const window = new StepWindow();
    const last = 40 * CHUNK;
    window.reset(steps(last, CHUNK), []);
    for (let from = last - CHUNK; from > 0; from -= CHUNK) {
      window.cursor = 0;
      window.prepend(steps(from, CHUNK), true);
    }
    expect(window.steps.length).toBeLessThanOrEqual(MOST_STEPS + CHUNK);
    expect(window.moreAfter).toBe(true);
    expect(window.current?.sequence).toBe(window.next!.sequence - 1);
  });
});
