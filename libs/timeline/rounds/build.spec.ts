import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { emptyFleet, evolveFleet, fleetHash } from "#fleet";
import { SystemClock, wallMsOf } from "#kernel";
import { SimulatedFleet } from "#testing";
import { followEvents } from "../follow-events.ts";
import { MadeHub } from "../made-hub.fixture.ts";
import { openTimeline } from "../open-timeline.ts";
import { buildOn } from "./build.ts";
import { roundFile } from "./round.ts";
import { Rounds } from "./rounds.ts";
import { RoundsTimeline } from "./rounds-timeline.ts";

const ROUND = 20;
const clock = new SystemClock();
let fleet: SimulatedFleet;
let hub: MadeHub;
let directory: string;
let shown = new Map<string, number>();

beforeAll(async () => {
  fleet = new SimulatedFleet(9);
  fleet.join("host-a");
  fleet.join("host-b");
  directory = await mkdtemp(join(tmpdir(), "drover-build-"));
  hub = await MadeHub.start(fleet.controlLog);
}, 60_000);
afterAll(async () => {
  await hub.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Lets the fleet live for a while, and the hub hear of it. Returns what is new. */
async function live(turns: number, damage?: (event: RecordedEvent) => boolean): Promise<RecordedEvent[]> {
  for (let turn = 0; turn < turns; turn += 1) fleet.live();
  const fresh = fleet.events().filter(({ log, sequence }) => sequence > (shown.get(log) ?? 0));
  shown = new Map([...fleet.logs].map(([log, events]) => [log, events.length]));
  await hub.appendControl(fresh.filter(({ log }) => log === fleet.controlLog));
  await hub.arrive(
    fresh.filter(({ log }) => log !== fleet.controlLog),
    damage,
  );
  return fresh;
}

function hashOf(events: readonly RecordedEvent[]): string {
  return fleetHash(events.reduce((view, event) => evolveFleet(view, event), emptyFleet()));
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await clock.sleep(20);
}

const opened = (build = false) =>
  openTimeline({ nc: hub.nc, directory, build, roundEvents: ROUND, onUnreadable: () => undefined });

describe("who makes rounds", () => {
  it("makes them as events arrive, one process at a time, and again when FLEET was made anew", async () => {
    const stopping = new AbortController();
    const troubles: unknown[] = [];
    const rounds = new Rounds(hub.nc, directory, ROUND);
    const other = new Rounds(hub.nc, directory, ROUND);
    const building = [rounds, other].map((each) =>
      buildOn(hub.nc, clock, each, (trouble) => troubles.push(trouble), stopping.signal),
    );
    const made = async () => (await rounds.now()).index.rounds.length;
    await live(60);
    await until(async () => (await made()) >= 2);
    const before = await made();
    await live(100);
    await until(async () => (await made()) > before + 2);
    const { timeline } = await opened();
    expect(fleetHash((await timeline.at({ kind: "now" })).view)).toBe(hashOf(fleet.events()));
    await hub.makeFleetAnew();
    const middle = fleet.events()[Math.floor(fleet.events().length / 2)]!;
    const atMs = wallMsOf(middle.header.clock);
    const wanted = hashOf(fleet.events().filter(({ header }) => wallMsOf(header.clock) <= atMs));
    expect(fleetHash((await timeline.at({ kind: "time", atMs })).view)).toBe(wanted);
    await until(async () => (await made()) >= before);
    expect(fleetHash((await timeline.at({ kind: "time", atMs })).view)).toBe(wanted);
    stopping.abort();
    await Promise.all(building);
    expect(troubles).toEqual([]);
  }, 60_000);

  it("makes those again that are damaged, as soon as a question finds them", async () => {
    const stopping = new AbortController();
    const rounds = new Rounds(hub.nc, directory, ROUND);
    const building = buildOn(hub.nc, clock, rounds, () => undefined, stopping.signal);
    await live(60);
    const quiet = () => undefined;
    const timeline = new RoundsTimeline(hub.nc, rounds, quiet, quiet);
    await until(async () => (await rounds.now()).index.rounds.length >= 4);
    const path = join(directory, roundFile(2));
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, 100));
    const { slices } = (await rounds.now()).index.round(2);
    const atMs = slices.at(-1)!.lastMs;
    const wanted = hashOf(fleet.events().filter(({ header }) => wallMsOf(header.clock) <= atMs));
    expect(fleetHash((await timeline.at({ kind: "time", atMs })).view)).toBe(wanted);
    await until(async () => {
      const { index } = await rounds.now();
      if (index.rounds.length < 4 || index.firstDamaged !== undefined) return false;
      return (await readFile(path)).length > 100;
    });
    expect(whole.length).toBeGreaterThan(100);
    expect(fleetHash((await timeline.at({ kind: "time", atMs })).view)).toBe(wanted);
    stopping.abort();
    await building;
  }, 60_000);

  it("F10: goes on beyond a record that cannot be read", async () => {
    const bad: RecordedEvent[] = [];
    await live(80, (event) => {
      if (event.type !== "StepCompleted" || bad.length > 0) return false;
      bad.push(event);
      return true;
    });
    expect(bad).toHaveLength(1);
    await opened(true);
    const { timeline } = await opened();
    const wanted = hashOf(fleet.events().filter((event) => event !== bad[0]));
    expect(fleetHash((await timeline.at({ kind: "now" })).view)).toBe(wanted);
  }, 60_000);
});

describe("who follows", () => {
  it("hears each event once, also when a log comes again", async () => {
    const { timeline } = await opened();
    const from = await new Rounds(hub.nc, undefined).now();
    const heard: string[] = [];
    const settings = {
      nc: hub.nc,
      clock,
      from: from.ends,
      after: await timeline.history.end(),
      onUnreadable: () => undefined,
      onLost: () => undefined,
    };
    const stopping = new AbortController();
    const listening = (async () => {
      for await (const batch of followEvents(settings, stopping.signal)) {
        heard.push(...batch.map(({ header }) => header.id));
      }
    })();
    const first = await live(20);
    await hub.sourceAgain(fleet.host("host-a").logId);
    const second = await live(20);
    const wanted = [...first, ...second].map(({ header }) => header.id);
    await until(async () => heard.length >= wanted.length);
    stopping.abort();
    await listening;
    expect([...heard].sort()).toEqual([...wanted].sort());
  }, 60_000);
});

describe("F15: questions to a history that grows", () => {
  it("read as much as before", async () => {
    const costs: number[] = [];
    const machineId = fleet.create("host-a");
    fleet.settle("host-a", machineId);
    for (const turns of [50, 300, 600]) {
      await live(turns);
      await opened(true);
      const rounds = new Rounds(hub.nc, directory, ROUND);
      const { index } = await rounds.now();
      const quiet = () => undefined;
      const timeline = new RoundsTimeline(hub.nc, rounds, quiet, quiet);
      const before = rounds.arrivals.readEvents;
      const events = fleet.events();
      const event = events[Math.floor(events.length / 3)]!;
      await timeline.at({ kind: "time", atMs: wallMsOf(event.header.clock) });
      await timeline.history.event(event.header.id);
      for await (const _batch of timeline.history.ordered({ machineId })) break;
      costs.push(rounds.arrivals.readEvents - before);
      expect(index.rounds.length).toBeGreaterThan(0);
    }
    for (const cost of costs) expect(cost).toBeLessThan(20 * ROUND);
    expect(fleet.events().length).toBeGreaterThan(30 * ROUND);
  }, 120_000);
});
