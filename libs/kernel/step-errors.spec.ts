import { describe, expect, it } from "@jest/globals";
import { outcomeOfError, RetryAfterError, TerminalError } from "./step-errors.ts";

describe("outcomeOfError", () => {
  it.each([
    [
      "a terminal error as never again",
      new TerminalError("image_not_found", "no such image"),
      { kind: "terminal", error: { code: "image_not_found", message: "no such image" } },
    ],
    [
      "a retry-after error as later",
      new RetryAfterError("rate_limited", "slowly", 250),
      { kind: "retry", error: { code: "rate_limited", message: "slowly" }, retryAfterMs: 250 },
    ],
    [
      "anything else as again",
      new Error("boom"),
      { kind: "retry", error: { code: "effect_failed", message: "boom" } },
    ],
    ["even what is no error", "text", { kind: "retry", error: { code: "effect_failed", message: "text" } }],
  ])("reads %s", (_, thrown, outcome) => {
    expect(outcomeOfError(thrown)).toEqual(outcome);
  });

  it("keeps messages short: they are written into the log", () => {
    const outcome = outcomeOfError(new Error("x".repeat(5_000)));
    expect(outcome.kind !== "completed" && outcome.error.message.length).toBe(500);
  });
});
