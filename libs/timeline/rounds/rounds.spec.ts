import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { emptyFleet, evolveFleet, fleetHash, type Moment, upTo } from "#fleet";
import { type Position, wallMsOf } from "#kernel";
import { SimulatedFleet } from "#testing";
import { ListedHistory } from "../listed-history.ts";
import { MadeHub } from "../made-hub.fixture.ts";
import { openTimeline } from "../open-timeline.ts";
import type { Timeline } from "../timeline.ts";

const HOSTS = ["host-a", "host-b", "host-c"];
const ROUND = 60;

let fleet: SimulatedFleet;
let events: RecordedEvent[];
let hub: MadeHub;
let directory: string;
let bad: string[];

/** Hosts' ordinary days; machines are destroyed in numbers, so that hosts forget the first ones. */
function lived(): SimulatedFleet {
  const made = new SimulatedFleet(5);
  for (const hostId of HOSTS) made.join(hostId);
  for (let turn = 0; turn < 500; turn += 1) {
    made.live();
    if (turn === 200) made.replaceLog("host-b");
  }
  // More than a host remembers, and for longer than it does.
  for (let machine = 0; machine < 1_150; machine += 1) {
    const machineId = made.create("host-a", { skipLaunch: true });
    made.settle("host-a", machineId);
    made.command("host-a", machineId, { type: "DestroyMachine", origin: "user", force: true });
    made.settle("host-a", machineId);
    made.clock.jump(5_000);
    if (machine % 10 === 0) made.live();
  }
  return made;
}

/** As it arrives at a hub: host-c was cut off for the middle third, and brings it all at once. */
function arrivals(): RecordedEvent[] {
  const ofHosts = events.filter(({ log }) => log !== fleet.controlLog);
  const [from, to] = [ofHosts.length / 3, (2 * ofHosts.length) / 3];
  const isC = ({ subject }: RecordedEvent) => subject.startsWith("evt.host.host-c.");
  const late = ofHosts.filter((event, index) => isC(event) && index > from && index < to);
  const held = new Set(late);
  const onTime = (part: RecordedEvent[]) => part.filter((event) => !held.has(event));
  const back = Math.ceil(to);
  return [...onTime(ofHosts.slice(0, back)), ...late, ...onTime(ofHosts.slice(back))];
}

async function open(build = true): Promise<Timeline> {
  const onUnreadable = (place: string, reason: string) => void bad.push(`${place} ${reason}`);
  const settings = { nc: hub.nc, directory, build, roundEvents: ROUND, onUnreadable };
  return (await openTimeline(settings)).timeline;
}

function foldedAt(moment: Moment): { readonly hash: string; readonly position: Position } {
  const view = emptyFleet();
  const position: Record<string, number> = {};
  const counts = upTo(moment);
  for (const log of fleet.logs.values()) {
    for (const event of log) {
      if (!counts(event)) continue;
      evolveFleet(view, event);
      position[event.log] = event.sequence;
    }
  }
  return { hash: fleetHash(view), position };
}

function randomMoment(): Moment {
  const random = () => fleet.ids.random();
  const event = events[Math.floor(random() * events.length)]!;
  const kind = random();
  if (kind < 0.3) return { kind: "time", atMs: wallMsOf(event.header.clock) };
  if (kind < 0.6) {
    const { log, sequence, header } = event;
    return { kind: "event", log, sequence, clock: header.clock };
  }
  // Any cut at all, also such as never were: without a log, or far ahead of the others.
  const position: Record<string, number> = {};
  for (const [log, all] of fleet.logs) {
    if (random() < 0.15) continue;
    const near = kind < 0.8 ? events.indexOf(event) / events.length : random();
    position[log] = Math.floor(all.length * Math.min(1, near + random() * 0.01));
  }
  return { kind: "position", position };
}

async function expectTruth(timeline: Timeline, moment: Moment): Promise<void> {
  const world = await timeline.at(moment);
  const wanted = foldedAt(moment);
  const given = Object.fromEntries(Object.entries(wanted.position).filter(([, sequence]) => sequence > 0));
  expect({ moment, position: world.position }).toEqual({ moment, position: given });
  expect({ moment, hash: fleetHash(world.view) }).toEqual({ moment, hash: wanted.hash });
}

beforeAll(async () => {
  fleet = lived();
  events = fleet.events();
  bad = [];
  directory = await mkdtemp(join(tmpdir(), "drover-rounds-"));
  hub = await MadeHub.start(fleet.controlLog);
  await hub.appendControl(fleet.logs.get(fleet.controlLog)!);
  await hub.arrive(arrivals());
  await hub.sourceAgain(fleet.host("host-b").logId);
}, 120_000);
afterAll(async () => {
  await hub.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("a world from rounds", () => {
  it("is at any moment what a fold of everything up to it is, with logs that came late, twice and after others", async () => {
    const timeline = await open();
    expect((await readdir(directory)).length).toBeGreaterThan(50);
    for (let time = 0; time < 25; time += 1) await expectTruth(timeline, randomMoment());
    await expectTruth(timeline, { kind: "now" });
    expect(bad).toEqual([]);
  }, 120_000);

  it("is the same without rounds", async () => {
    const settings = { nc: hub.nc, onUnreadable: () => undefined };
    const { timeline } = await openTimeline(settings);
    for (let time = 0; time < 3; time += 1) await expectTruth(timeline, randomMoment());
  }, 60_000);
});

describe("events with rounds", () => {
  const ids = (of: readonly RecordedEvent[]) => of.map(({ header }) => header.id);
  const all = async (batches: AsyncIterable<readonly RecordedEvent[]>) => {
    const read: RecordedEvent[] = [];
    for await (const batch of batches) read.push(...batch);
    return read;
  };

  it("come in the order in which a list of them is merged, from anywhere to anywhere", async () => {
    const timeline = await open();
    const listed = new ListedHistory(events);
    for (let time = 0; time < 10; time += 1) {
      const after = foldedAt(randomMoment()).position;
      const stretch = { after, until: time % 4 === 0 ? ({ kind: "now" } as const) : randomMoment() };
      const scoped = time % 5 === 0 ? { ...stretch, hostId: "host-c" } : stretch;
      expect(ids(await all(timeline.history.ordered(scoped)))).toEqual(
        ids(await all(listed.ordered(scoped))),
      );
    }
  }, 120_000);

  it("are found by id, and ended where they end", async () => {
    const timeline = await open();
    for (let time = 0; time < 20; time += 1) {
      const event = events[Math.floor(fleet.ids.random() * events.length)]!;
      expect(await timeline.history.event(event.header.id)).toEqual(event);
    }
    expect(await timeline.history.event("01JD0000000000000000000000")).toBeUndefined();
    expect(await timeline.history.end()).toEqual(await new ListedHistory(events).end());
  });

  it("of one machine are found wherever they stand, with what was reserved and claimed for it", async () => {
    const timeline = await open();
    const machines = events.flatMap(({ type, data }) => (type === "MachineCreating" ? [data.machineId] : []));
    for (const machineId of [machines[0]!, machines[400]!, machines.at(-1)!]) {
      const about = events.filter(({ data }) => "machineId" in data && data.machineId === machineId);
      expect(about.map(({ type }) => type)).toContain("ReservationMade");
      expect(ids(await all(timeline.history.ordered({ machineId })))).toEqual(ids(about));
    }
  });

  it("are counted", async () => {
    const timeline = await open();
    const extent = await timeline.extent();
    expect(extent.events).toBe(events.length);
    expect(extent.firstMs).toBe(wallMsOf(events[0]!.header.clock));
    expect(extent.buckets.reduce((sum, bucket) => sum + bucket.events, 0)).toBe(events.length);
  });
});

describe("damaged rounds", () => {
  it("are passed over", async () => {
    await open();
    const files = (await readdir(directory)).filter((name) => name.startsWith("round-")).sort();
    for (const name of [files[20]!, files[40]!, files.at(-1)!]) {
      const path = join(directory, name);
      const bytes = await readFile(path);
      bytes.fill(0, 40, bytes.length - 40);
      await writeFile(path, bytes);
    }
    const timeline = await open(false);
    for (let time = 0; time < 8; time += 1) await expectTruth(timeline, randomMoment());
    await expectTruth(timeline, { kind: "now" });
  }, 120_000);
});
