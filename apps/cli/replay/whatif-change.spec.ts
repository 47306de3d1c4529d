import { describe, expect, it } from "@jest/globals";
import { SimulatedFleet } from "#testing";
import { ListedHistory, Timeline } from "#timeline";
import { changeOf, edited } from "./whatif-change.ts";

const fleet = new SimulatedFleet(1);
fleet.join("h1");
const EVENTS = fleet.events();
const measured = EVENTS.find(({ type }) => type === "HostCapacityMeasured")!;
const timeline = new Timeline({ history: new ListedHistory(EVENTS), onUnreadable: () => undefined });
const NOTHING = { drop: [], set: [] };

describe("--set", () => {
  it("sets members of an event's data, and nothing in place", () => {
    const before = structuredClone(measured.data);
    const data = edited(measured, ["capacity.memoryMib=512", 'features=["ssd"]', "hostId=h9"]);
    expect(data).toMatchObject({ capacity: { memoryMib: 512, cpuMillis: 1_000_000 }, features: ["ssd"] });
    expect(data).toMatchObject({ hostId: "h9" });
    expect(measured.data).toEqual(before);
  });

  it.each([
    ["capacity.memoryMib", /is not path=value/],
    ["=5", /is not path=value/],
    ["a..b=5", /is not path=value|no HostCapacityMeasured/],
    ["hostId.x=5", /hostId has no members/],
    ["capacity.memoryMib=much", /no HostCapacityMeasured: capacity\.memoryMib: /],
    ["surprise=1", /no HostCapacityMeasured: .*surprise/],
    ["__proto__.x=1", /is not path=value/],
  ])("%s is refused", (set, problem) => {
    expect(() => edited(measured, [set])).toThrow(problem);
  });
});

describe("a change", () => {
  it("goes by ids of events that there are", async () => {
    const edit = measured.header.id;
    const change = await changeOf(timeline, { ...NOTHING, edit, set: ["maxMachines=1"] });
    expect([...change.edit!]).toEqual([[edit, expect.objectContaining({ maxMachines: 1 })]]);
    const unknown = { ...NOTHING, edit: "01AAAAAAAAAAAAAAAAAAAAAAAA", set: ["x=1"] };
    await expect(changeOf(timeline, unknown)).rejects.toThrow("the logs hold no event 01AAAA");
  });

  it.each([
    [{ policy: "random" }, /use spread or pack/],
    [{ edit: "01AAAAAAAAAAAAAAAAAAAAAAAA" }, /--edit and --set go together/],
    [{ set: ["a=1"] }, /--edit and --set go together/],
    [{ after: "01AAAAAAAAAAAAAAAAAAAAAAAA" }, /--insert and --after go together/],
    [{ drop: ["m1"] }, /"m1" is no event's id/],
  ])("%j is refused", async (flags, problem) => {
    await expect(changeOf(timeline, { ...NOTHING, ...flags })).rejects.toThrow(problem);
  });
});
