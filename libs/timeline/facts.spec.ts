import { describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { SimulatedFleet } from "#testing";
import { factsOf } from "./facts.ts";
import { World } from "./world.ts";

/** The world after a machine's place was decided, and nothing came of it yet. */
function decided(change: (event: RecordedEvent) => RecordedEvent): [World, string] {
  const fleet = new SimulatedFleet(3);
  fleet.join("h1");
  const machineId = fleet.create("h1");
  const events = fleet.events();
  const end = events.findIndex(({ type }) => type === "PlacementDecided");
  const world = new World();
  for (const event of events.slice(0, end + 1)) world.apply(change(event));
  return [world, machineId];
}

function refused(event: RecordedEvent): RecordedEvent {
  if (event.type !== "PlacementDecided") return event;
  const { machineId, appName, epoch } = event.data;
  const error = { code: "insufficient_capacity", message: "no room", terminal: true };
  const data = { machineId, appName, epoch, error, refusals: [] };
  return { ...event, type: "PlacementRefused", data } as unknown as RecordedEvent;
}

describe("the facts of a machine that no host has told of", () => {
  it("say where it is placed", () => {
    const [world, id] = decided((event) => event);
    expect(factsOf(world, { kind: "machine", id })).toMatchObject({ state: "placed", host: "h1" });
  });

  it("say that no host took it", () => {
    const [world, id] = decided(refused);
    const facts = factsOf(world, { kind: "machine", id });
    expect(facts).toMatchObject({ state: "refused" });
    expect(facts).not.toHaveProperty("host");
  });
});
