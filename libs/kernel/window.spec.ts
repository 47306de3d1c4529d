import { describe, expect, it } from "@jest/globals";
import { Window } from "./window.ts";

describe("Window", () => {
  it("lets no more go than fits, in order, and what is too large alone", async () => {
    const window = new Window(10);
    const gone: number[] = [];
    for (const amount of [6, 4, 3, 20, 1]) void window.take(amount).then(() => gone.push(amount));
    const settled = () => new Promise((done) => setImmediate(done));
    await settled();
    expect(gone).toEqual([6, 4]);
    window.give(4);
    await settled();
    expect(gone).toEqual([6, 4, 3]);
    window.give(6);
    await settled();
    expect(gone).toEqual([6, 4, 3]);
    window.give(3);
    await settled();
    expect(gone).toEqual([6, 4, 3, 20]);
    window.give(20);
    await settled();
    expect(gone).toEqual([6, 4, 3, 20, 1]);
  });
});
