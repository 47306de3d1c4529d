import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { minimise } from "./minimise.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Fails where all of `needed` are there. */
const having = (needed: ReadonlySet<number>) => (items: readonly number[]) =>
  [...needed].every((one) => items.includes(one));

describe("minimise", () => {
  it("leaves exactly what is needed, in its order, whatever that is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(80), fc.array(fc.nat(79)), async (count, wanted) => {
        const needed = new Set(wanted.filter((one) => one < count));
        const least = await minimise(numbers(count), having(needed), { maxRuns: 10_000 });
        expect(least.items).toEqual([...needed].sort((a, b) => a - b));
        expect(least.isMinimal).toBe(true);
      }),
    );
  });

  it("comes to the same with groups, in fewer tries", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(199), { maxLength: 6 }), async (wanted) => {
        const needed = new Set(wanted);
        const groupOf = (item: number) => String(item % 10);
        const least = await minimise(numbers(200), having(needed), { maxRuns: 10_000, groupOf });
        expect(least.items).toEqual([...needed].sort((a, b) => a - b));
        expect(least.isMinimal).toBe(true);
      }),
    );
  });

  it("cannot leave out any one more, also where not every part of what fails does", async () => {
    // An odd number of even numbers: taking away one changes everything.
    const fails = (items: readonly number[]) => items.filter((item) => item % 2 === 0).length % 2 === 1;
    const { items } = await minimise(numbers(21), fails, { maxRuns: 10_000 });
    expect(fails(items)).toBe(true);
    for (const [index] of items.entries()) expect(fails(items.toSpliced(index, 1))).toBe(false);
  });

  it("needs few tries for a needle in a large stack", async () => {
    const { runs } = await minimise(numbers(10_000), having(new Set([7_654])), { maxRuns: 10_000 });
    expect(runs).toBeLessThan(50);
  });

  it("ends in time with something that fails, and says that it may be larger than it had to be", async () => {
    const needed = new Set([3, 500, 900]);
    const seen: number[] = [];
    const options = { maxRuns: 9, onRun: (runs: number) => seen.push(runs) };
    const least = await minimise(numbers(1_000), having(needed), options);
    expect(having(needed)(least.items)).toBe(true);
    expect(least).toMatchObject({ runs: 9, isMinimal: false });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("does the same each time", async () => {
    const fails = (items: readonly number[]) => items.reduce((sum, item) => sum + item, 0) > 300;
    const once = await minimise(numbers(50), fails, { maxRuns: 1_000 });
    expect(await minimise(numbers(50), fails, { maxRuns: 1_000 })).toEqual(once);
  });
});
