import { describe, expect, it } from "@jest/globals";
import { listMachines } from "#fleet";
import { SimulatedFleet } from "#testing";
import { applyAndCompare, type Change } from "./changes.ts";
import { formatEntity, parseEntity } from "./entity.ts";
import { type Fact, factsOf } from "./facts.ts";
import { ListedHistory } from "./listed-history.ts";
import { World } from "./world.ts";

/** Two hosts' ordinary days, one of which goes on in a new log. */
function lived(seed: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  fleet.join("host-a");
  fleet.join("host-b");
  for (let turn = 0; turn < 150; turn += 1) {
    fleet.live();
    if (turn === 100) fleet.replaceLog("host-b");
  }
  return fleet;
}

describe("the changes of each event", () => {
  it.each([1, 2, 3, 4])("add up to the facts of the world at the end (seed %i)", async (seed) => {
    const world = new World();
    const known = new Map<string, Map<string, Fact>>();
    const note = ({ entity, path, before, after }: Change) => {
      const key = formatEntity(entity);
      const facts = known.get(key) ?? new Map<string, Fact>();
      expect(facts.get(path)).toEqual(before);
      if (after === undefined) facts.delete(path);
      else facts.set(path, after);
      known.set(key, facts);
    };
    for await (const batch of new ListedHistory(lived(seed).events()).ordered()) {
      for (const event of batch) {
        const { changes, unfolded } = applyAndCompare(world, event);
        expect(unfolded).toBeUndefined();
        changes.forEach(note);
      }
    }
    expect(listMachines(world.view).length).toBeGreaterThan(3);
    for (const [key, facts] of known) {
      const there = factsOf(world, parseEntity(key)!) ?? {};
      expect({ [key]: Object.fromEntries([...facts].sort()) }).toEqual({
        [key]: Object.fromEntries(Object.entries(there).sort()),
      });
    }
  });
});
