import { describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { decideHost } from "#hosts";
import { SimulatedFleet } from "#testing";
import { entitiesOf, livedFleet, timelineOf } from "../fleets.fixture.ts";
import { type Deciders, PRESENT_DECIDERS } from "../redecide/deciders.ts";
import { exportSlice } from "./export-slice.ts";
import { Slice, sliceFrom } from "./open-slice.ts";
import type { ExportedSlice } from "./slice.ts";

/** Takes no notice of how much a host has: the planted mistake. */
const GENEROUS: Deciders = {
  ...PRESENT_DECIDERS,
  decideHost: (command, host) =>
    command.type === "MeasureCapacity"
      ? decideHost(command, host)
      : decideHost(command, { ...host, capacity: { cpuMillis: 1_000_000, memoryMib: 1_000_000 } }),
};

/** A history that those deciders could have made: its small host promised more than it has. */
function overcommitted(): RecordedEvent[] {
  const fleet = livedFleet(8, 60);
  fleet.join("small");
  for (let count = 0; count < 5; count += 1) {
    const machineId = fleet.create("small");
    fleet.settle("small", machineId);
    for (let moment = 0; moment < 10; moment += 1) fleet.live();
  }
  const capacity = { cpuMillis: 62 * 3, memoryMib: 256 * 3 };
  return fleet.events().map((event) => {
    const isSmalls = event.type === "HostCapacityMeasured" && event.data.hostId === "small";
    if (!isSmalls) return event;
    const decision = { ...event.decision!, inputs: { ...event.decision!.inputs, capacity } };
    return { ...event, data: { ...event.data, capacity }, decision };
  });
}

async function opened({ archive, name }: ExportedSlice) {
  async function* open(): AsyncGenerator<Buffer> {
    yield Buffer.from(archive);
  }
  return sliceFrom({ name, open });
}

const EVENTS = overcommitted();
const EXPORTED = await exportSlice(timelineOf(EVENTS), { invariant: "no-overcommit", deciders: GENEROUS });

describe("an exported slice", () => {
  it("breaks the invariant as all of history does, with the deciders that made the mistake", async () => {
    const slice = await opened(EXPORTED);
    expect(EXPORTED.fails).toBe(true);
    expect(slice.problems(GENEROUS)).toEqual([
      expect.stringMatching(
        /^no-overcommit: host\/small: \d+ .* promised, and there are \d+ \(ReservationMade/,
      ),
    ]);
  });

  it("breaks nothing once the decider is mended", async () => {
    expect((await opened(EXPORTED)).problems()).toEqual([]);
  });

  it("is small, and not one event of it could be left out", async () => {
    expect(EXPORTED).toMatchObject({ isMinimal: true });
    expect(EXPORTED.considered).toBeGreaterThan(100);
    // The log, how much there is, and reservations until it is too much.
    expect(EXPORTED.events.length).toBeLessThanOrEqual(6);
    const slice = await opened(EXPORTED);
    for (const [index] of slice.events.entries()) {
      const smaller = new Slice(slice.events.toSpliced(index, 1), slice.shows);
      expect(smaller.problems(GENEROUS)).toEqual([]);
    }
  });

  it("keeps events at their places, and holds none of their secrets", () => {
    const byId = new Map(EVENTS.map((event) => [event.header.id, event]));
    for (const { header, log, sequence } of EXPORTED.events) {
      expect(byId.get(header.id)).toMatchObject({ log, sequence });
    }
    const created = EVENTS.find(({ type }) => type === "MachineCreating")!;
    expect(JSON.stringify(created)).toContain('"GREETING":"hi"');
    expect(EXPORTED.archive).not.toContain('"hi"');
  });

  it("is the same each time", async () => {
    const again = await exportSlice(timelineOf(EVENTS), { invariant: "no-overcommit", deciders: GENEROUS });
    expect(again).toEqual(EXPORTED);
  });

  it("says that the present deciders do not repeat it, where they do not", async () => {
    const exported = await exportSlice(timelineOf(EVENTS), { invariant: "no-overcommit" });
    expect(exported).toMatchObject({ fails: false, headline: expect.stringMatching(/^no-overcommit: host/) });
    expect((await opened(exported)).problems()).toEqual([]);
  });

  it("ends in time, with a slice that is larger than it had to be", async () => {
    const request = { invariant: "no-overcommit", deciders: GENEROUS, maxRuns: 3 };
    const exported = await exportSlice(timelineOf(EVENTS), request);
    expect(exported).toMatchObject({ runs: 3, isMinimal: false, fails: true });
    expect((await opened(exported)).problems(GENEROUS)).toHaveLength(1);
  });

  it("begins later than its logs in a long history, with no more of the state before than it takes", async () => {
    const request = { invariant: "no-overcommit", deciders: GENEROUS };
    const exported = await exportSlice(timelineOf(EVENTS), { ...request, mostConsidered: 12 });
    expect(exported).toMatchObject({ considered: 12, fails: true });
    const slice = await opened(exported);
    expect(slice.problems(GENEROUS)).toHaveLength(1);
    expect(slice.problems()).toEqual([]);
    expect(Object.keys(slice.base!.position)).toEqual([slice.events[0]!.log]);
    expect(exported.archive).not.toContain('"hi"');
  });

  it("is not made of what holds", async () => {
    const exported = exportSlice(timelineOf(EVENTS), { invariant: "epoch-only-grows" });
    await expect(exported).rejects.toThrow("nothing breaks epoch-only-grows: there is nothing to export");
    await expect(exportSlice(timelineOf(EVENTS), {})).rejects.toThrow(/name what the slice is to show/);
  });
});

describe("a slice of an event", () => {
  it("leads to it, and shows what it changed: of any event", async () => {
    const events = livedFleet(21, 80).events();
    for (const event of events.filter((_, index) => index % 9 === 0)) {
      const exported = await exportSlice(timelineOf(events), { event: event.header.id });
      expect(exported.shownBy.id).toBe(event.header.id);
      const slice = await opened(exported);
      expect(slice.problems()).toEqual([]);
      if (event.decision === undefined || slice.events.length < 2) continue;
      expect(slice.events.length).toBeLessThan(25);
    }
  });

  it("tells when it is decided or folded otherwise", async () => {
    const events = livedFleet(21, 80).events();
    const stop = events.findLast(({ type }) => type === "MachineStopping")!;
    const slice = await opened(await exportSlice(timelineOf(events), { event: stop.header.id }));
    const deaf: Partial<Deciders> = { decideHost: () => ({ kind: "unchanged" }) };
    expect(slice.problems(deaf)).toEqual(["MachineStopping was decided: now nothing would be done"]);
  });
});

describe("a slice of a thing", () => {
  it("comes to the same facts, with what it takes and no more", async () => {
    const fleet = livedFleet(30, 150);
    const timeline = timelineOf(fleet.events());
    const machine = entitiesOf(await timeline.at({ kind: "now" })).find(({ kind }) => kind === "machine")!;
    const exported = await exportSlice(timeline, { entity: machine });
    const slice = await opened(exported);
    expect(slice.problems()).toEqual([]);
    expect(slice.events.length).toBeLessThan(fleet.events().length / 3);
    const deaf: Partial<Deciders> = { decideHost: () => ({ kind: "unchanged" }) };
    expect(slice.problems(deaf)).toContainEqual(expect.stringMatching(/^state was ".*", and is nothing$/));
  });

  it("there has to be", async () => {
    const exported = exportSlice(timelineOf(new SimulatedFleet(1).events()), {
      entity: { kind: "machine", id: "none" },
    });
    await expect(exported).rejects.toThrow("no event touches machine/none");
  });
});

describe("the test of a slice", () => {
  it("opens the file beside it and looks for problems", () => {
    expect(EXPORTED.spec).toContain(`new URL("./${EXPORTED.name}.ndjson", import.meta.url)`);
    expect(EXPORTED.spec).toContain("expect(slice.problems()).toEqual([]);");
    expect(EXPORTED.name).toMatch(/^no-overcommit-[a-z0-9]{6}-\d+$/);
  });
});
