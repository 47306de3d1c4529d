import { describe, expect, it } from "@jest/globals";
import { readMoment } from "./moment-text.ts";

describe("a moment as text", () => {
  it.each([
    ["now", { kind: "now" }],
    ["0", { kind: "time", atMs: 0 }],
    ["1800000000000", { kind: "time", atMs: 1_800_000_000_000 }],
    ["2026-11-24T12:00:00Z", { kind: "time", atMs: Date.UTC(2026, 10, 24, 12) }],
    ["01M88G9X643ZYBWX5F0C0SQ926", { kind: "id", eventId: "01M88G9X643ZYBWX5F0C0SQ926" }],
    ["10m", { kind: "time", atMs: 400_000 }],
    ["log-a:3,log-b:4", { kind: "position", position: { "log-a": 3, "log-b": 4 } }],
    ["log-a:3@0193f0e5c000-0001", { kind: "event", log: "log-a", sequence: 3, clock: "0193f0e5c000-0001" }],
  ])("%s is read", (text, moment) => {
    expect(readMoment(text, 1_000_000)).toEqual(moment);
  });

  it.each(["", "yesterday", "2026-13-45", "-1", "1e3", "log:x", "log:3@", "log:3@zz", "a:1,,b:2", "10w"])(
    "%j is none",
    (text) => {
      expect(readMoment(text, 1_000_000)).toBeUndefined();
    },
  );
});
