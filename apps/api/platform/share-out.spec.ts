import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { shareOut } from "./share-out.ts";

const ROOMS = [
  { region: "ams", machines: 10, hosts: 2 },
  { region: "fra", machines: 3, hosts: 1 },
  { region: "sea", machines: 0, hosts: 0 },
];
const counts = (count: number, isEven: boolean) => shareOut(ROOMS, count, isEven).map((part) => part.count);

describe("machines shared out to regions", () => {
  it("fill them in their order, or evenly", () => {
    expect(counts(12, false)).toEqual([10, 2, 0]);
    expect(counts(4, true)).toEqual([2, 2, 0]);
    expect(counts(12, true)).toEqual([9, 3, 0]);
  });

  it("are as many as there is room for, and all of it when none are asked for", () => {
    expect(counts(20, false)).toEqual([10, 3, 0]);
    expect(counts(0, false)).toEqual([10, 3, 0]);
    expect(shareOut(ROOMS, 0, false)[0]).toEqual({ region: "ams", count: 10, concurrency: 2 });
  });

  it("never exceed a region's room, and miss none that there is", () => {
    const rooms = fc.uniqueArray(
      fc.record({
        region: fc.stringMatching(/^[a-z]{3}$/),
        machines: fc.nat({ max: 50 }),
        hosts: fc.constant(1),
      }),
      { selector: ({ region }) => region, maxLength: 8 },
    );
    fc.assert(
      fc.property(rooms, fc.integer({ min: 1, max: 300 }), fc.boolean(), (given, count, isEven) => {
        const parts = shareOut(given, count, isEven);
        const all = given.reduce((sum, { machines }) => sum + machines, 0);
        expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(Math.min(count, all));
        parts.forEach((part, index) => {
          expect(part.count).toBeLessThanOrEqual(given[index]!.machines);
        });
      }),
    );
  });
});
