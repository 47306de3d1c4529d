import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { formatHybridTime, HybridClock, MAX_DRIFT_MS, wallMsOf } from "./hybrid-clock.ts";
import { SimulatedClock } from "./simulated-clock.ts";

const NOW = 1_764_000_000_000;

describe("F20: HybridClock", () => {
  it("gives greater and greater readings, whatever wall time does and whatever it hears", () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant("jump" as const), ms: fc.integer({ min: -1e10, max: 1e10 }) }),
      fc.record({ kind: fc.constant("merge" as const), ms: fc.integer({ min: -1e10, max: 1e10 }) }),
      fc.record({ kind: fc.constant("tick" as const), ms: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(act), (acts) => {
        const wall = new SimulatedClock(NOW);
        const clock = new HybridClock(wall);
        let last = clock.tick();
        for (const { kind, ms } of acts) {
          if (kind === "jump") wall.jump(ms);
          if (kind === "merge") clock.merge(formatHybridTime(NOW + ms, 7));
          const next = clock.tick();
          expect(next > last).toBe(true);
          last = next;
        }
      }),
    );
  });

  it("follows wall time when that goes on, with the counter at 0", () => {
    const wall = new SimulatedClock(NOW);
    const clock = new HybridClock(wall);
    clock.tick();
    wall.jump(5);
    expect(clock.tick()).toBe(formatHybridTime(NOW + 5, 0));
    expect(clock.tick()).toBe(formatHybridTime(NOW + 5, 1));
  });

  it("goes on after what it heard: an effect is never dated before its cause", () => {
    const clock = new HybridClock(new SimulatedClock(NOW));
    const heard = formatHybridTime(NOW + 1_000, 3);
    expect(clock.merge(heard)).toBe(true);
    expect(clock.tick()).toBe(formatHybridTime(NOW + 1_000, 4));
  });

  it("does not follow a clock that is far ahead", () => {
    const clock = new HybridClock(new SimulatedClock(NOW));
    expect(clock.merge(formatHybridTime(NOW + MAX_DRIFT_MS + 1, 0))).toBe(false);
    expect(clock.tick()).toBe(formatHybridTime(NOW, 0));
  });

  it("goes on after the last reading of its own log, however far ahead", () => {
    const clock = new HybridClock(new SimulatedClock(NOW));
    const last = formatHybridTime(NOW + 10 * MAX_DRIFT_MS, 9);
    clock.resume(last);
    expect(clock.tick() > last).toBe(true);
  });

  it("carries over when a millisecond's counter is used up", () => {
    const clock = new HybridClock(new SimulatedClock(NOW));
    clock.merge(formatHybridTime(NOW, 0xffff));
    expect(clock.tick()).toBe(formatHybridTime(NOW + 1, 0));
  });
});

describe("HybridTime", () => {
  it("sorts as text in the order of time, then counter; and gives its wall time back", () => {
    const reading = fc.tuple(fc.integer({ min: 0, max: 2 ** 47 }), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(reading, reading, ([ms, counter], [otherMs, otherCounter]) => {
        const text = formatHybridTime(ms, counter);
        const isBefore = ms < otherMs || (ms === otherMs && counter < otherCounter);
        expect(text < formatHybridTime(otherMs, otherCounter)).toBe(isBefore);
        expect(wallMsOf(text)).toBe(ms);
      }),
    );
  });
});
