import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { canonicalHash, canonicalJson, canonicalParts } from "./canonical.ts";

describe("I4: the canonical form", () => {
  it("does not depend on the order in which members were added", () => {
    expect(canonicalJson({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
    const members = fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { selector: ([key]) => key });
    fc.assert(
      fc.property(members, (entries) => {
        const [forth, back] = [new Map(entries), new Map([...entries].reverse())];
        expect(canonicalJson(back)).toBe(canonicalJson(forth));
      }),
    );
  });

  it("is the same for a value and for what JSON makes of it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(JSON.parse(JSON.stringify(value)))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("knows no undefined members, and writes maps as objects", () => {
    expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
    expect(canonicalJson(new Map([["k", new Map([["l", 1]])]]))).toBe('{"k":{"l":1}}');
  });

  it("keeps the order of lists", () => {
    expect(canonicalHash([1, 2])).not.toBe(canonicalHash([2, 1]));
  });

  it("is the same in parts, however deep it is taken apart", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(7), (value, depth) => {
        expect([...canonicalParts({ value, gone: undefined }, depth)].join("")).toBe(
          canonicalJson({ value }),
        );
      }),
    );
    const parts = [...canonicalParts({ b: [new Map([["k", 1]]), undefined], a: {} }, 3)];
    expect(parts.join("")).toBe('{"a":{},"b":[{"k":1},null]}');
  });

  it("has a hash that never changes", () => {
    expect(canonicalHash({ b: [1, null], a: "ü" })).toBe(
      "5ddd266d13a5e8cdcca4c2007bb2032c5c319ab15de36c670f395fe8765fc949",
    );
  });
});
