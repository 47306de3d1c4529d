import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import type { Moment } from "#fleet";
import { SimulatedFleet } from "#testing";
import { type Fact, factsOf, formatEntity } from "#timeline";
import { diff } from "./diff.ts";
import { entitiesOf, livedFleet, momentOf, timelineOf } from "./fleets.fixture.ts";

const NOW: Moment = { kind: "now" };

describe("the diff of two moments", () => {
  it("makes the facts of the one those of the other, by events that did so", async () => {
    const picks = fc.tuple(
      fc.integer(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    );
    await fc.assert(
      fc.asyncProperty(picks, async ([seed, a, b]) => {
        const events = livedFleet(seed, 120).events();
        const timeline = timelineOf(events);
        const at = (share: number) => momentOf(events[Math.floor(share * (events.length - 1))]!);
        const [earlier, later] = [at(Math.min(a, b)), at(Math.max(a, b))];
        const found = await diff(timeline, earlier, later);
        const [before, after] = [await timeline.at(earlier), await timeline.at(later)];
        const facts = new Map<string, Record<string, Fact>>();
        for (const entity of entitiesOf(before))
          facts.set(formatEntity(entity), { ...factsOf(before, entity) });
        for (const { entity, changes } of found.entities) {
          const own = facts.get(formatEntity(entity)) ?? {};
          for (const { path, before: was, after: is } of changes) {
            expect(own[path]).toBe(was);
            if (is === undefined) delete own[path];
            else own[path] = is;
          }
          facts.set(formatEntity(entity), own);
        }
        const expected = entitiesOf(after).map((entity) => [
          formatEntity(entity),
          { ...factsOf(after, entity) },
        ]);
        const there = [...facts].filter(([, own]) => Object.keys(own).length > 0);
        expect(Object.fromEntries(there)).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: 40 },
    );
  });

  it("is the same in whatever order logs arrive, and turned round is swapped back", async () => {
    const events = livedFleet(7, 200).events();
    const [a, b] = [momentOf(events[60]!), momentOf(events[150]!)];
    const told = await diff(timelineOf(events), a, b);
    const byLog = [...events].sort((x, y) =>
      x.log < y.log ? 1 : x.log > y.log ? -1 : x.sequence - y.sequence,
    );
    expect(await diff(timelineOf(byLog), a, b)).toEqual(told);
    expect(told.swapped).toBe(false);
    expect(await diff(timelineOf(events), b, a)).toEqual({ ...told, swapped: true });
    expect(told.entities.length).toBeGreaterThan(3);
  });

  it("compares moments of which neither is the earlier by what they have in common", async () => {
    const { fleet, ids } = twoMachines();
    const timeline = timelineOf(fleet.events());
    const [one, two] = [fleet.host("h1").logId, fleet.host("h2").logId];
    const whole = await timeline.history.end();
    const stopped = (await sequenceOf(fleet, "MachineStopping", ids[0]!)) - 1;
    const other = (await sequenceOf(fleet, "MachineStopping", ids[1]!)) - 1;
    const found = await diff(
      timeline,
      { kind: "position", position: { ...whole, [one]: stopped } },
      { kind: "position", position: { ...whole, [two]: other } },
    );
    const states = found.entities
      .filter(({ entity }) => entity.kind === "machine")
      .map(({ entity, changes }) => {
        const state = changes.find(({ path }) => path === "state");
        return [entity.id, state?.before, state?.after, state?.event.type];
      });
    expect(states).toContainEqual([ids[0], "started", "stopped", "MachineStopped"]);
    expect(states).toContainEqual([ids[1], "stopped", "started", "MachineStopped"]);
  });
});

describe("what a diff says", () => {
  it("of a machine that moved: from where, to where, by what, and how long its route was gone", async () => {
    const fleet = new SimulatedFleet(3);
    for (const hostId of ["h1", "h2"]) fleet.join(hostId);
    const machineId = fleet.create("h1");
    fleet.settle("h1", machineId);
    const before = momentOf(fleet.events().at(-1)!);
    fleet.clock.jump(10);
    move(fleet, machineId, "h2", 41);
    const [found] = (await diff(timelineOf(fleet.events()), before, NOW, { kinds: ["machine"] })).entities;
    expect(found?.title).toBe(
      `machine m-${machineId} (${machineId}) moved h1 → h2 by PlacementDecided; its route was gone for 41 ms`,
    );
    expect(found?.routeGapMs).toBe(41);
    expect(found?.changes.find(({ path }) => path === "host")).toMatchObject({
      before: "h1",
      after: "h2",
      event: { type: "PlacementDecided", log: fleet.controlLog },
    });
    expect(found?.changes.map(({ path }) => path)).not.toContain("state");
  });

  it("of a process that was killed for its memory", async () => {
    const fleet = new SimulatedFleet(4);
    fleet.join("h1");
    const machineId = fleet.create("h1");
    fleet.settle("h1", machineId);
    const before = momentOf(fleet.events().at(-1)!);
    const { startId = "" } = fleet.host("h1").machines.get(machineId)!;
    const exit = { exit_code: 0, guest_signal: 9, oom_killed: true, requested_stop: false, exited_at_ms: 1 };
    fleet.command("h1", machineId, { type: "RecordExit", origin: "runtime", startId, exit });
    fleet.settle("h1", machineId);
    const machine = { entity: { kind: "machine", id: machineId } } as const;
    const found = await diff(timelineOf(fleet.events()), before, NOW, machine);
    expect(found.entities.map(({ title }) => title)).toEqual([
      `machine m-${machineId} (${machineId}) started → stopped (exit 0, signal 9, out of memory)`,
    ]);
    const all = await diff(timelineOf(fleet.events()), before, NOW, { ...machine, all: true });
    const states = all.entities[0]!.changes.filter(({ path }) => path === "state").map(({ after }) => after);
    expect(states).toEqual(["stopping", "stopped"]);
  });

  it("of hosts, apps and what came and went", async () => {
    const fleet = new SimulatedFleet(5);
    fleet.join("h1");
    const before = momentOf(fleet.events().at(-1)!);
    fleet.clock.jump(1);
    const cordon = { owner: "ann", reason: "new disk", expiresAtMs: 1_764_086_400_000 };
    fleet.decideHost("h1", { type: "Cordon", ...cordon });
    fleet.decideHost("h1", { type: "Uncordon", owner: "ann", reason: "done" });
    fleet.decideHost("h1", { type: "Cordon", ...cordon });
    const titles = async (scope = {}) =>
      (await diff(timelineOf(fleet.events()), before, NOW, scope)).entities.map(({ title }) => title);
    expect(await titles()).toEqual(["host h1 was cordoned by ann until 2025-11-25T16:00:00.000Z: new disk"]);
    fleet.decideHost("h1", { type: "Uncordon", owner: "ann", reason: "done" });
    const machineId = fleet.create("h1");
    fleet.command("h1", machineId, { type: "DestroyMachine", origin: "user", force: true });
    fleet.settle("h1", machineId);
    expect(await titles({ kinds: ["machine"] })).toEqual([
      `machine m-${machineId} (${machineId}) came and went: destroyed`,
    ]);
    expect(await titles({ entity: { kind: "app", id: "hello" } })).toHaveLength(1);
    expect(await titles({ entity: { kind: "host", id: "h1" } })).toHaveLength(1);
  });
});

function twoMachines() {
  const fleet = new SimulatedFleet(1);
  const ids = ["h1", "h2"].map((hostId) => {
    fleet.join(hostId);
    const machineId = fleet.create(hostId);
    fleet.settle(hostId, machineId);
    return machineId;
  });
  for (const [index, hostId] of ["h1", "h2"].entries()) {
    fleet.command(hostId, ids[index]!, { type: "StopMachine", origin: "user" });
    fleet.settle(hostId, ids[index]!);
  }
  return { fleet, ids };
}

async function sequenceOf(fleet: SimulatedFleet, type: RecordedEvent["type"], machineId: string) {
  return fleet
    .events()
    .find((event) => event.type === type && "machineId" in event.data && event.data.machineId === machineId)!
    .sequence;
}

/** The next epoch of a machine, on another host, so many milliseconds later there. */
function move(fleet: SimulatedFleet, machineId: string, hostId: string, gapMs: number): void {
  const described = { machineId, appName: "hello", epoch: 2 };
  const resources = { cpuMillis: 62, memoryMib: 256 };
  const ownerGone = { kind: "absent", hostId: "h1", epoch: 1 } as const;
  fleet.decideControl({
    type: "DecidePlacement",
    ...described,
    hostId,
    region: "local",
    candidates: [],
    refusals: [],
    ownerGone,
  });
  fleet.clock.jump(gapMs);
  const reservationId = "moved";
  fleet.decideHost(hostId, {
    type: "ReserveMachine",
    ...described,
    reservationId,
    resources,
    ports: [],
    ttlMs: 5_000,
  });
  const { config, instanceId, name } = fleet.host("h1").machines.get(machineId)!;
  const made = { config, instanceId, name, skipLaunch: false, origin: "user" };
  fleet.decideHost(hostId, { type: "CommitMachine", ...described, reservationId, ...made });
  fleet.settle(hostId, machineId);
}
