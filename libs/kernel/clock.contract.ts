import { describe, expect, it } from "@jest/globals";
import type { Clock } from "./clock.ts";

/** What every clock does. `elapse` lets that much time pass, by whatever means the clock has. */
export function clockContract(
  name: string,
  make: () => { clock: Clock; elapse: (ms: number) => Promise<void> },
): void {
  describe(`${name} is a clock`, () => {
    it("never goes back on the monotonic side", async () => {
      const { clock, elapse } = make();
      const before = clock.monotonicMs();
      await elapse(2);
      expect(clock.monotonicMs()).toBeGreaterThan(before);
    });

    it("wakes sleepers in the order in which they are due", async () => {
      const { clock, elapse } = make();
      const woken: number[] = [];
      const sleepers = [60, 1, 30].map((ms) => clock.sleep(ms).then(() => woken.push(ms)));
      await elapse(70);
      await Promise.all(sleepers);
      expect(woken).toEqual([1, 30, 60]);
    });

    it("wakes who sleeps for no time at all", async () => {
      await expect(make().clock.sleep(0)).resolves.toBeUndefined();
    });

    it("rejects with the signal's reason when that fires first, or fired before", async () => {
      const { clock } = make();
      const reason = new Error("no more");
      const abort = new AbortController();
      const sleeping = clock.sleep(60_000, abort.signal);
      abort.abort(reason);
      await expect(sleeping).rejects.toBe(reason);
      await expect(clock.sleep(60_000, abort.signal)).rejects.toBe(reason);
    });
  });
}
