import { describe, expect, it } from "@jest/globals";
import { explanationText } from "./why-text.ts";

const AT = 1_764_000_000_000;

describe("an explanation as text", () => {
  it("is a tree with offsets in milliseconds, and below it what is waited for", () => {
    const launch = { kind: "step", title: "launch: under way", atMs: AT + 12, children: [] } as const;
    const bid = { kind: "bid", title: "h1: score 1", detail: "free: 1 MiB", children: [] } as const;
    const text = explanationText({
      headline: "machine web is starting",
      causes: [{ kind: "request", title: "request R", atMs: AT, durationMs: 20, children: [bid, launch] }],
      stuck: [{ what: "the start of web", sinceMs: AT, because: "it is slow", releasedBy: "time" }],
    });
    expect(text.split("\n")).toEqual([
      "machine web is starting",
      "",
      "From 2025-11-24T16:00:00.000Z on:",
      "      +0.0 ms  request R  [20.0 ms]",
      "                 h1: score 1",
      "                   free: 1 MiB",
      "     +12.0 ms    launch: under way",
      "",
      "It waits for:",
      "- the start of web, since 2025-11-24T16:00:00.000Z",
      "    because it is slow",
      "    released by time",
    ]);
  });

  it("shows control characters of what guests say, and does not obey them", () => {
    const text = explanationText({ headline: "failed: \u001b[2J", causes: [], stuck: [] });
    expect(text).toBe("failed: \\x1b[2J");
  });
});
