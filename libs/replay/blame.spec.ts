import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SimulatedFleet } from "#testing";
import { applyAndCompare, type Fact, factsOf, formatEntity, World } from "#timeline";
import { blame } from "./blame.ts";
import { entitiesOf, livedFleet, momentOf, timelineOf } from "./fleets.fixture.ts";

describe("the blame of an entity", () => {
  it("tells its facts, each with the last event that made it so in the whole history", async () => {
    const picks = fc.tuple(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(picks, async ([seed, share]) => {
        const all = livedFleet(seed, 150).events();
        const events = all.slice(0, 1 + Math.floor(share * (all.length - 1)));
        const world = new World();
        const setters = new Map<string, { id: string; after: Fact | undefined }>();
        for (const event of events) {
          for (const { entity, path, after } of applyAndCompare(world, event).changes) {
            setters.set(`${formatEntity(entity)}.${path}`, { id: event.header.id, after });
          }
        }
        const timeline = timelineOf(all);
        for (const entity of entitiesOf(world)) {
          const told = await blame(timeline, entity, momentOf(events.at(-1)!));
          expect(Object.fromEntries(told.map(({ path, value }) => [path, value]))).toEqual(
            factsOf(world, entity),
          );
          for (const { path, value, event } of told) {
            const setter = setters.get(`${formatEntity(entity)}.${path}`);
            expect([path, value, event?.id]).toEqual([path, setter?.after, setter?.id]);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it("shows what is below a path, and nothing of what there is not", async () => {
    const fleet = new SimulatedFleet(1);
    fleet.join("h1");
    const machineId = fleet.create("h1");
    fleet.settle("h1", machineId);
    const timeline = timelineOf(fleet.events());
    const machine = { kind: "machine", id: machineId } as const;
    const below = await blame(timeline, machine, { kind: "now" }, "config");
    expect(below.map(({ path, event, command }) => [path, event?.type, command])).toEqual([
      ["config.env.GREETING", "MachineCreating", "CommitMachine"],
      ["config.image", "MachineCreating", "CommitMachine"],
    ]);
    expect(await blame(timeline, machine, { kind: "now" }, "stat")).toEqual([]);
    expect(await blame(timeline, { kind: "machine", id: "none" }, { kind: "now" })).toEqual([]);
  });

  it("goes on in the log before, where there is one, and says which is missing else", async () => {
    const fleet = new SimulatedFleet(2);
    fleet.join("h1");
    const machineId = fleet.create("h1");
    fleet.settle("h1", machineId);
    const former = fleet.host("h1").logId;
    fleet.replaceLog("h1");
    const machine = { kind: "machine", id: machineId } as const;
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" });
    const whole = await blame(timelineOf(fleet.events()), machine, { kind: "now" });
    const bySetter = Object.fromEntries(whole.map(({ path, event }) => [path, event?.type]));
    expect(bySetter).toMatchObject({
      image_digest: "MachineCreated",
      state: "MachineStopping",
      host: "PlacementDecided",
    });
    expect(whole.some(({ carriedOver }) => carriedOver !== undefined)).toBe(false);
    const rest = await blame(timelineOf(fleet.events().filter(({ log }) => log !== former)), machine, {
      kind: "now",
    });
    const digest = rest.find(({ path }) => path === "image_digest");
    expect(digest).toMatchObject({ carriedOver: former, event: { type: "HostLogOpened" } });
    expect(rest.find(({ path }) => path === "state")?.event?.type).toBe("MachineStopping");
  });
});
