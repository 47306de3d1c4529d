import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { formatPosition, includesPosition, joinPositions, parsePosition } from "./position.ts";

const position = fc.dictionary(fc.stringMatching(/^[A-Z0-9]{1,3}$/), fc.nat(20), {
  maxKeys: 4,
  noNullPrototype: true,
});

describe("positions", () => {
  it("join to the least one that includes both, in any order and as often as one likes", () => {
    fc.assert(
      fc.property(position, position, position, (a, b, c) => {
        const joined = joinPositions(a, b);
        expect(includesPosition(joined, a) && includesPosition(joined, b)).toBe(true);
        expect(joinPositions(b, a)).toEqual(joined);
        expect(joinPositions(joined, a)).toEqual(joined);
        expect(joinPositions(joined, c)).toEqual(joinPositions(a, joinPositions(b, c)));
        if (includesPosition(c, a) && includesPosition(c, b)) expect(includesPosition(c, joined)).toBe(true);
      }),
    );
  });

  it("do not include what stands in a log that they say nothing about", () => {
    expect(includesPosition({ A: 9 }, { B: 1 })).toBe(false);
    expect(includesPosition({ A: 9 }, { A: 9 })).toBe(true);
    expect(includesPosition({ A: 9 }, { A: 10 })).toBe(false);
    expect(includesPosition({}, {})).toBe(true);
  });

  it("are written as sorted pairs, and read back", () => {
    expect(formatPosition({ L2: 5, L1: 7 })).toBe("L1:7,L2:5");
    fc.assert(
      fc.property(position, (each) => {
        expect(parsePosition(formatPosition(each))).toEqual(each);
      }),
    );
  });

  it.each(["x", "L1", "L1:", ":1", "L1:-1", "L1:1,", "L1:1e3", "L 1:1", "L1:1234567890123456"])(
    "are not read from %s",
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );
});
