import { describe, expect, it } from "@jest/globals";
import { SimulatedClock } from "#kernel";
import { SaveRhythm } from "./save-rhythm.ts";

/** How often it is saved when something changes every second, and a save takes `saveMs`. */
async function savesWithin(seconds: number, saveMs: number): Promise<number> {
  const clock = new SimulatedClock();
  const rhythm = new SaveRhythm(clock);
  let saves = 0;
  for (let second = 0; second < seconds; second += 1) {
    rhythm.changed();
    rhythm.saveIfDue(() => {
      saves += 1;
      return clock.sleep(saveMs);
    });
    await clock.pass(1_000);
  }
  return saves;
}

describe("SaveRhythm", () => {
  it("saves what changed, and only that", () => {
    const rhythm = new SaveRhythm(new SimulatedClock());
    let saves = 0;
    const look = () =>
      rhythm.saveIfDue(async () => {
        saves += 1;
      });
    look();
    expect(saves).toBe(0);
    rhythm.changed();
    look();
    look();
    expect(saves).toBe(1);
  });

  it("saves every other second while that is quick", async () => {
    expect(await savesWithin(100, 1)).toBe(50);
  });

  it("takes no more than a fiftieth of the time, and one save at a time", async () => {
    expect(await savesWithin(500, 200)).toBeLessThan(55);
    expect(await savesWithin(500, 3_000)).toBeLessThan(5);
  });
});
