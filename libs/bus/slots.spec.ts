import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Slots } from "./slots.ts";

/** Work that ends when told. */
function gate() {
  let open = () => {};
  const done = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { work: () => done, open };
}

describe("Slots", () => {
  it("runs what fits, keeps what may wait, and turns away the rest", async () => {
    const slots = new Slots(1, 1);
    const [first, second] = [gate(), gate()];
    expect(slots.run(first.work)).toBe(true);
    expect(slots.run(second.work)).toBe(true);
    expect(slots.run(async () => {})).toBe(false);
    first.open();
    second.open();
    await slots.idle();
    expect(slots.run(async () => {})).toBe(true);
  });

  it("never runs more than its limit, in order, and forgets nothing that it took", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 40 }),
        async (limit, count) => {
          const slots = new Slots(limit, count);
          const begun: number[] = [];
          let running = 0;
          for (let index = 0; index < count; index += 1) {
            slots.run(async () => {
              begun.push(index);
              running += 1;
              expect(running).toBeLessThanOrEqual(limit);
              await null;
              running -= 1;
            });
          }
          await slots.idle();
          expect(begun).toEqual(Array.from({ length: count }, (_, index) => index));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is idle when nothing was ever run", async () => {
    await new Slots(1, 1).idle();
  });
});
