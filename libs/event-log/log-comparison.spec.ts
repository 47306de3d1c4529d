import { describe, expect, it } from "@jest/globals";
import { compareWithHub } from "./log-comparison.ts";

const held = (lastSequence: number, commonEventId: string) => ({ lastSequence, commonEventId });

describe("compareWithHub", () => {
  it.each([
    ["neither has anything", held(0, ""), held(0, ""), "ok"],
    ["both end with the same event", held(7, "e7"), held(7, "e7"), "ok"],
    ["the hub has not got all yet", held(9, "e7"), held(7, "e7"), "ahead"],
    ["the hub has nothing yet", held(9, ""), held(0, ""), "ahead"],
    ["the host lost its tail", held(5, "e5"), held(7, "e5"), "behind"],
    ["the host lost everything", held(0, ""), held(7, ""), "behind"],
    ["the ends differ", held(7, "x7"), held(7, "e7"), "diverged"],
    ["the host lost its tail and wrote another", held(9, "x7"), held(7, "e7"), "diverged"],
    ["the host is shorter and another", held(5, "x5"), held(7, "e5"), "diverged"],
  ] as const)("%s", (_, local, hub, verdict) => {
    expect(compareWithHub(local, hub)).toBe(verdict);
  });
});
