import { describe, expect, it } from "@jest/globals";
import { parseTime } from "./moment.ts";

const now = Date.UTC(2026, 10, 24, 12);

describe("parseTime", () => {
  it.each([
    ["2026-11-24T11:00:00Z", now - 3_600_000],
    ["90s", now - 90_000],
    ["10m", now - 600_000],
    ["2h", now - 7_200_000],
    ["1d", now - 86_400_000],
  ])("reads %s", (text, expected) => {
    expect(parseTime(text, now)).toBe(expected);
  });

  it.each(["", "yesterday", "2026", "-5m", "01JD0000000000000000000009", "log:5"])(
    "does not read %p",
    (text) => {
      expect(parseTime(text, now)).toBeUndefined();
    },
  );
});
