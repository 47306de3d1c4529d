import { describe, expect, it } from "@jest/globals";
import { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";

class SteppedClock extends Clock {
  wallMs = 0;
  steadyMs = 0;
  override nowMs() {
    return this.wallMs;
  }
  override monotonicMs() {
    return this.steadyMs;
  }
  override async sleep() {}
}

describe("Deadline", () => {
  it("counts down to zero and stays there", () => {
    const clock = new SteppedClock();
    const deadline = new Deadline(clock, 100);
    clock.steadyMs = 40.5;
    expect(deadline.remainingMs()).toBe(59);
    clock.steadyMs = 500;
    expect(deadline.remainingMs()).toBe(0);
    expect(deadline.passed()).toBe(true);
  });

  it("F20: does not notice a wall clock that jumps", () => {
    const clock = new SteppedClock();
    const deadline = new Deadline(clock, 100);
    clock.wallMs = 1e12;
    expect(deadline.passed()).toBe(false);
    clock.wallMs = -1e12;
    expect(deadline.remainingMs()).toBe(100);
  });
});
