import { setTimeout as realTime } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { clockContract } from "./clock.contract.ts";
import { SystemClock } from "./clock.ts";
import { SimulatedClock } from "./simulated-clock.ts";

clockContract("SystemClock", () => ({ clock: new SystemClock(), elapse: (ms) => realTime(ms) }));
clockContract("SimulatedClock", () => {
  const clock = new SimulatedClock();
  return { clock, elapse: (ms) => clock.pass(ms) };
});

describe("SimulatedClock", () => {
  it("F20: lets wall time jump without a sleeper noticing", async () => {
    const clock = new SimulatedClock(1_000_000);
    let woken = false;
    const sleeper = clock.sleep(100).then(() => {
      woken = true;
    });
    clock.jump(-500_000);
    await clock.pass(99);
    expect([woken, clock.nowMs(), clock.monotonicMs()]).toEqual([false, 500_099, 99]);
    await clock.pass(1);
    await sleeper;
    expect(woken).toBe(true);
  });

  it("passes until nobody sleeps, and says when somebody still does", async () => {
    const clock = new SimulatedClock();
    void clock.sleep(10).then(() => clock.sleep(10));
    expect(await clock.passUntilIdle(100)).toBe(true);
    expect(clock.monotonicMs()).toBe(20);
    void clock.sleep(500);
    expect(await clock.passUntilIdle(100)).toBe(false);
  });
});
