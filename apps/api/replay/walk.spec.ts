import { beforeAll, describe, expect, it } from "@jest/globals";
import type { RecordedEvent, ReplayStep, ReplaySteps } from "#contracts";
import type { Moment } from "#fleet";
import { SystemClock, wallMsOf } from "#kernel";
import { SimulatedFleet } from "#testing";
import { applyAndCompare, ListedHistory, Timeline, World } from "#timeline";
import { readMoment } from "./moment-text.ts";
import type { StepFilter } from "./question.ts";
import { stepJson } from "./step-json.ts";
import { Walk } from "./walk.ts";

const signal = new AbortController().signal;
let timeline: Timeline;
let walk: Walk;
/** All steps, in order. */
let steps: ReplayStep[];

/** Three hosts' ordinary days, one of which goes on in a new log; many events share an instant with one of another log. */
function lived(): RecordedEvent[] {
  const fleet = new SimulatedFleet(5);
  for (const hostId of ["host-a", "host-b", "host-c"]) fleet.join(hostId);
  for (let turn = 0; turn < 300; turn += 1) {
    fleet.live();
    if (turn === 200) fleet.replaceLog("host-b");
  }
  return fleet.events().map((event) => {
    const atMs = wallMsOf(event.header.clock);
    const clock = `${(atMs - (atMs % 4_000)).toString(16).padStart(12, "0")}-0000`;
    return { ...event, header: { ...event.header, clock } };
  });
}

beforeAll(async () => {
  const onUnreadable = (place: string, why: string) => {
    throw new Error(`${place}: ${why}`);
  };
  timeline = new Timeline({ history: new ListedHistory(lived()), onUnreadable });
  walk = new Walk(timeline, () => timeline.extent(), new SystemClock());
  const world = new World();
  steps = [];
  for await (const batch of timeline.after(world)) {
    for (const event of batch) steps.push(stepJson(event, applyAndCompare(world, event)));
  }
});

const places = (of: readonly ReplayStep[]) => of.map(({ log, sequence }) => `${log}:${sequence}`);

function momentOf(text: string): Moment {
  const moment = readMoment(text, 0);
  if (moment === undefined || moment.kind === "id") throw new Error(`${text} needs a search`);
  return moment;
}

/** Page by page, as the console goes on. */
async function pages(direction: "after" | "before", start: string, limit: number, filter: StepFilter = {}) {
  const all: ReplayStep[] = [];
  for (let from = start; ; ) {
    const page: ReplaySteps = await walk[direction](momentOf(from), { limit, filter, signal });
    expect(page.steps.length).toBeLessThanOrEqual(limit);
    if (direction === "after") all.push(...page.steps);
    else all.unshift(...page.steps);
    if (!page.more) return all;
    from = page.reached!;
  }
}

describe("steps", () => {
  it("are those of a whole walk, forwards and backwards, whatever the page", async () => {
    expect(steps.length).toBeGreaterThan(300);
    for (const limit of [3, 50, 2_000]) {
      expect(await pages("after", "0", limit)).toEqual(steps);
      expect(await pages("before", "now", limit)).toEqual(steps);
    }
  });

  it("begin right after any step, and end with it, also within an instant that logs share", async () => {
    for (let index = 0; index < steps.length; index += 41) {
      const { log, sequence, clock } = steps[index]!;
      const moment = momentOf(`${log}:${sequence}@${clock}`);
      const [after, before] = await Promise.all([
        walk.after(moment, { limit: 5, filter: {}, signal }),
        walk.before(moment, { limit: 5, filter: {}, signal }),
      ]);
      expect(after.steps).toEqual(steps.slice(index + 1, index + 6));
      expect(before.steps).toEqual(steps.slice(Math.max(0, index - 4), index + 1));
      expect(before.more).toBe(index > 4);
    }
  });

  it("go on from a time and from a position", async () => {
    const middle = steps[200]!;
    const until = steps.filter(({ atMs }) => atMs <= middle.atMs);
    expect(await pages("before", String(middle.atMs), 60)).toEqual(until);
    const world = await timeline.at({ kind: "time", atMs: middle.atMs });
    const position = Object.entries(world.position).map(([log, sequence]) => `${log}:${sequence}`);
    expect(await pages("after", position.join(","), 60)).toEqual(steps.slice(until.length));
  });

  it.each<[string, StepFilter | "machine"]>([
    ["an entity", "machine"],
    ["a type", { type: "MachineStarted" }],
    ["what went wrong", { failures: true }],
    ["several at once", { type: "MachineStopped", entity: "host/host-a" }],
  ])("are only those of %s, with what they changed", async (_what, wish) => {
    const machine = steps.find(({ about }) => about[0]?.startsWith("machine/"))!.about[0]!;
    const filter = wish === "machine" ? { entity: machine } : wish;
    const wanted = steps.filter(
      (step) =>
        (filter.type === undefined || step.type === filter.type) &&
        (filter.entity === undefined || step.about.includes(filter.entity)) &&
        (filter.failures !== true || step.failure),
    );
    expect(await pages("after", "0", 4, filter)).toEqual(wanted);
    expect(places(await pages("before", "now", 4, filter))).toEqual(places(wanted));
  });

  it("are none after the end and before the beginning", async () => {
    const wish = { limit: 10, filter: {}, signal };
    expect(await walk.after({ kind: "now" }, wish)).toMatchObject({ steps: [], more: false });
    expect(await walk.before({ kind: "time", atMs: 0 }, wish)).toEqual({ steps: [], more: false });
  });
});
