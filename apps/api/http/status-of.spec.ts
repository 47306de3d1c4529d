import { describe, expect, it } from "@jest/globals";
import { REFUSAL_CODES } from "#kernel";
import { statusOf } from "./status-of.ts";

describe("statusOf", () => {
  it("gives every refusal an error's status", () => {
    for (const code of REFUSAL_CODES) {
      expect(statusOf(code)).toBeGreaterThanOrEqual(400);
      expect(statusOf(code)).toBeLessThan(600);
    }
  });

  it("says what Fly's clients switch on", () => {
    const shown = ["not_found", "invalid", "deadline_exceeded", "version_mismatch", "unauthorized"] as const;
    expect(shown.map(statusOf)).toEqual([404, 400, 408, 412, 401]);
    // The client did nothing wrong and may try again.
    expect(["unreachable", "quarantined"].map((code) => statusOf(code as "unreachable"))).toEqual([503, 503]);
  });
});
