import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SystemClock } from "./clock.ts";
import { formatUlid, type Ids, SystemIds, ulidMsOf } from "./ids.ts";
import { SeededIds } from "./seeded-ids.ts";
import { SimulatedClock } from "./simulated-clock.ts";

const makers: [string, () => Ids][] = [
  ["SystemIds", () => new SystemIds(new SystemClock())],
  ["SeededIds", () => new SeededIds(new SimulatedClock(), 42)],
];

describe.each(makers)("%s", (_, make) => {
  it("mints ULIDs, machine ids and secrets of the right form, none twice", () => {
    const ids = make();
    const minted = Array.from({ length: 1_000 }, () => [ids.ulid(), ids.machineId(), ids.randomHex(16)]);
    for (const [ulid, machineId, secret] of minted) {
      expect(ulid).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(machineId).toMatch(/^[0-9a-f]{14}$/);
      expect(secret).toMatch(/^[0-9a-f]{32}$/);
    }
    expect(new Set(minted.flat()).size).toBe(3_000);
  });

  it("gives numbers in [0, 1), spread over it", () => {
    const ids = make();
    const numbers = Array.from({ length: 1_000 }, () => ids.random());
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(new Set(numbers.map((number) => Math.floor(number * 10))).size).toBe(10);
  });
});

describe("SeededIds", () => {
  it("gives the same ids for the same seed, others for another", () => {
    const of = (seed: number) => {
      const ids = new SeededIds(new SimulatedClock(), seed);
      return [ids.ulid(), ids.machineId(), ids.random()];
    };
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });
});

describe("formatUlid", () => {
  it("keeps its time to be read", () => {
    for (const ms of [0, 1_469_918_176_385, 2 ** 48 - 1])
      expect(ulidMsOf(formatUlid(ms, new Uint8Array(10)))).toBe(ms);
  });

  it("writes the spec's example time and the extremes of its entropy", () => {
    expect(formatUlid(1_469_918_176_385, new Uint8Array(10))).toBe(`01ARYZ6S41${"0".repeat(16)}`);
    expect(formatUlid(0, new Uint8Array(10).fill(255))).toBe(`${"0".repeat(10)}${"Z".repeat(16)}`);
  });

  it("sorts by time", () => {
    const ms = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(ms, ms, (a, b) => {
        const [ulidOfA, ulidOfB] = [a, b].map((each) => formatUlid(each, new Uint8Array(10)));
        expect(ulidOfA! < ulidOfB!).toBe(a < b);
      }),
    );
  });
});
