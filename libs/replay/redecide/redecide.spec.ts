import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { type Decision, refusal, refused } from "#kernel";
import { SimulatedFleet } from "#testing";
import { World } from "#timeline";
import { PRESENT_DECIDERS } from "./deciders.ts";
import { type Redecided, redecide } from "./redecide.ts";

function lived(seed: number, steps: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  for (const hostId of ["host-a", "host-b"]) fleet.join(hostId);
  for (let step = 0; step < steps; step += 1) fleet.live();
  return fleet;
}

function redecided(events: readonly RecordedEvent[], deciders = PRESENT_DECIDERS): Redecided[] {
  const world = new World();
  return events.map((event) => {
    const outcome = redecide(event, world, deciders);
    world.apply(event);
    return outcome;
  });
}

describe("redecide", () => {
  it("comes to the same event for every decision of any history", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 400 }), (seed, steps) => {
        const events = lived(seed, steps).events();
        const others = redecided(events).filter(({ kind }) => kind !== "same");
        expect(others).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

void refusal;
void refused;

export type { Decision };
