import { describe, expect, it } from "@jest/globals";
import { REFUSAL_CODES } from "#kernel";
import { statusOf } from "./status-of.ts";

describe("statusOf", () => {
  it("gives every refusal an error's status", () => {
    for (const code of REFUSAL_CODES) {
      expect(statusOf({ code })).toBeGreaterThanOrEqual(400);
      expect(statusOf({ code })).toBeLessThan(600);
    }
  });

  it("tells a lack of room beside a volume from one anywhere", () => {
    const full = { code: "insufficient_capacity" } as const;
    expect([full, { ...full, details: { volumeId: "vol_1" } }].map(statusOf)).toEqual([422, 412]);
  });

  it("says what Fly's clients switch on", () => {
    const shown = ["not_found", "invalid", "deadline_exceeded", "version_mismatch", "unauthorized"] as const;
    expect(shown.map((code) => statusOf({ code }))).toEqual([404, 400, 408, 412, 401]);
    // The client did nothing wrong and may try again.
    expect((["unreachable", "quarantined"] as const).map((code) => statusOf({ code }))).toEqual([503, 503]);
  });
});
