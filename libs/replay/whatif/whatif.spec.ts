import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import type { RankedHost } from "#control";
import { refusal, refused } from "#kernel";
import { SimulatedFleet } from "#testing";
import { livedFleet, momentOf, timelineOf } from "../fleets.fixture.ts";
import { PRESENT_DECIDERS } from "../redecide/deciders.ts";
import { whatif } from "./whatif.ts";

const EVENTS = livedFleet(12, 200).events();

function first(type: RecordedEvent["type"]): RecordedEvent {
  return EVENTS.find((event) => event.type === type)!;
}

/** Commits of machines are refused. */
const noCommits = {
  decideHost: (...[command, host]: Parameters<typeof PRESENT_DECIDERS.decideHost>) =>
    command.type === "CommitMachine"
      ? refused(refusal("insufficient_capacity", "no room"))
      : PRESENT_DECIDERS.decideHost(command, host),
};

describe("what if", () => {
  it("nothing were otherwise: nothing is, of any history, and every decision was made again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.nat(150), async (seed, moments) => {
        const events = livedFleet(seed, moments).events();
        const { divergences, decisions, notReplayable } = await whatif(timelineOf(events), {});
        expect({ divergences, decisions, notReplayable }).toEqual({
          ...{ divergences: [], decisions: events.length, notReplayable: {} },
        });
      }),
      { numRuns: 15 },
    );
  });

  it("others decided: it stops at the first decision that comes out otherwise, and shows both", async () => {
    const created = first("MachineCreating");
    const { divergences, position } = await whatif(timelineOf(EVENTS), { deciders: noCommits });
    expect(divergences).toHaveLength(1);
    expect(divergences[0]).toMatchObject({
      event: { id: created.header.id, type: "MachineCreating" },
      command: { type: "CommitMachine" },
      recorded: { type: "MachineCreating", data: created.data },
      instead: { kind: "refused", refusal: { code: "insufficient_capacity", message: "no room" } },
      before: [],
    });
    expect(divergences[0]!.facts).toContainEqual({
      entity: { kind: "machine", id: (created.data as { machineId: string }).machineId },
      path: "state",
      recorded: "creating",
      instead: "placed",
    });
    expect(position[created.log]).toBe(created.sequence - 1);
  });

  it("goes on as if that had happened, for as many as are asked for", async () => {
    const { divergences } = await whatif(timelineOf(EVENTS), { deciders: noCommits }, { most: 4 });
    expect(divergences).toHaveLength(4);
    // The machine never came to be: what was done with it has nobody to be done with.
    const [{ event: refusedCommit }, ...later] = divergences as [
      (typeof divergences)[0],
      ...typeof divergences,
    ];
    const sameMachine = later.find(({ event }) =>
      event.about.some(({ id }) => id === refusedCommit.about[0]!.id),
    );
    expect(sameMachine).toMatchObject({ instead: { kind: "refused", refusal: { code: "not_found" } } });
    expect(sameMachine!.before).toContainEqual(expect.objectContaining({ path: "state", instead: "placed" }));
  });

  it("an event had not happened: the decision that rested on it is the first to differ", async () => {
    const measured = first("HostCapacityMeasured");
    const { divergences } = await whatif(timelineOf(EVENTS), { drop: [measured.header.id] });
    expect(divergences[0]).toMatchObject({
      event: { type: "ReservationMade", log: measured.log },
      instead: { kind: "refused", refusal: { code: "insufficient_capacity" } },
    });
    expect(divergences[0]!.before).toContainEqual({
      ...{ entity: { kind: "host", id: divergences[0]!.event.hostId }, path: "capacity.memoryMib" },
      ...{ recorded: 1_000_000, instead: 0 },
    });
  });

  it("an event had said something else", async () => {
    const measured = first("HostCapacityMeasured");
    const data = { ...measured.data, maxMachines: 1 } as RecordedEvent["data"];
    const edit = new Map([[measured.header.id, data]]);
    const { divergences } = await whatif(timelineOf(EVENTS), { edit });
    expect(divergences[0]).toMatchObject({
      instead: { kind: "refused", refusal: { message: expect.stringContaining("its most of 1 machines") } },
    });
  });

  it("something had happened as well", async () => {
    const claimed = first("AgentEpochClaimed");
    const { hostId } = claimed.data as { hostId: string };
    const until = 9_000_000_000_000;
    const cordoned = {
      ...{ ...claimed, type: "HostCordoned" },
      data: { hostId, owner: "ops", reason: "disk", expiresAtMs: until },
    } as RecordedEvent;
    const insert = new Map([[claimed.header.id, [cordoned]]]);
    const { divergences } = await whatif(timelineOf(EVENTS), { insert });
    expect(divergences[0]).toMatchObject({
      event: { type: "ReservationMade", hostId },
      instead: { kind: "refused", refusal: { code: "cordoned" } },
    });
  });

  it("hosts were packed: shows which one would have come first", async () => {
    const bid = (memoryMib: number) => ({
      ...{ free: { cpuMillis: 9_000, memoryMib }, capacity: { cpuMillis: 9_000, memoryMib: 9_000 } },
      ...{ machineCount: 1, appMachineCount: 1 },
    });
    const candidates: RankedHost[] = [
      { hostId: "empty", score: 0.97, random: 0.1, bid: bid(9_000) },
      { hostId: "full", score: 0.1, random: 0.2, bid: bid(1_000) },
    ];
    const fleet = new SimulatedFleet(1);
    const wish = { regions: "local", policy: "spread", antiAffinity: "soft", features: [] } as const;
    const placed = { machineId: "m1", appName: "hello", epoch: 1, hostId: "empty", region: "local" };
    const resources = { cpuMillis: 62, memoryMib: 256 };
    const seen = { wish, candidates, refusals: [], resources };
    fleet.decideControl({ type: "DecidePlacement", ...placed, ...seen });
    const timeline = timelineOf(fleet.events());
    expect((await whatif(timeline, { policy: "spread" })).divergences).toEqual([]);
    const [divergence] = (await whatif(timeline, { policy: "pack" })).divergences;
    expect(divergence).toMatchObject({
      instead: { kind: "other-host", hostId: "full" },
      facts: [{ path: "host", recorded: "empty", instead: "full" }],
    });
    expect(divergence!.data).toContainEqual({ path: "hostId", recorded: "empty", instead: "full" });
  });

  it("begins and ends where it is told to", async () => {
    const [created] = [first("MachineCreating")];
    const since = momentOf(created);
    const { divergences } = await whatif(timelineOf(EVENTS), { deciders: noCommits }, { since });
    const next = EVENTS.filter(({ type }) => type === "MachineCreating")[1]!;
    expect(divergences[0]!.event.id).toBe(next.header.id);
    const until = momentOf(EVENTS[EVENTS.indexOf(created) - 1]!);
    const early = await whatif(timelineOf(EVENTS), { deciders: noCommits }, { until });
    expect(early.divergences).toEqual([]);
  });

  it("is refused where it is about an event that is not there", async () => {
    const supposed = whatif(timelineOf(EVENTS), { drop: ["01AAAAAAAAAAAAAAAAAAAAAAAA"] });
    await expect(supposed).rejects.toThrow("no event 01AAAAAAAAAAAAAAAAAAAAAAAA is in that stretch");
  });
});
