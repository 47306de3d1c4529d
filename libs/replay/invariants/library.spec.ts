import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SimulatedFleet } from "#testing";
import { livedFleet, timelineOf } from "../fleets.fixture.ts";
import { verify } from "../verify.ts";
import { INVARIANTS, ON_REQUEST } from "./library.ts";

/** A fleet whose hosts work on what they have begun: no operation waits for longer than it may. */
function punctualFleet(seed: number, moments: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  const hostIds = ["h1", "h2", "h3"];
  for (const hostId of hostIds) fleet.join(hostId);
  for (let moment = 0; moment < moments; moment += 1) {
    fleet.live();
    for (const hostId of hostIds) {
      for (const { id, operation } of fleet.machines(hostId))
        if (operation !== undefined) fleet.step(hostId, id);
    }
  }
  return fleet;
}

describe("the invariants", () => {
  it("hold over whatever a fleet may live through", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
        const timeline = timelineOf(punctualFleet(seed, 150).events());
        const { violations } = await verify(timeline, { invariants: [...INVARIANTS, ...ON_REQUEST] });
        expect(violations).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  it("hold where hosts are slow, but for the one that says so", async () => {
    const patient = INVARIANTS.filter(({ name }) => name !== "every-operation-ends");
    for (const seed of [1, 2, 3]) {
      const timeline = timelineOf(livedFleet(seed, 600).events());
      expect((await verify(timeline, { invariants: patient })).violations).toEqual([]);
    }
  });

  it("hold from the middle of history on as they do from its beginning", async () => {
    const events = punctualFleet(7, 200).events();
    const { log, sequence, header } = events[Math.floor(events.length / 2)]!;
    const since = { kind: "event", log, sequence, clock: header.clock } as const;
    const verdict = await verify(timelineOf(events), { since });
    expect(verdict.violations).toEqual([]);
    expect(verdict.invariants.flatMap(({ standing }) => standing)).toEqual([]);
    expect(verdict.events).toBeLessThan(events.length);
  });

  it("each have a name of their own, and say in a line what holds", () => {
    const all = [...INVARIANTS, ...ON_REQUEST];
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, says } of all) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
      expect(says).not.toMatch(/\n|\.$/);
    }
  });
});
