import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import { ProjectionLab, reaches, silent } from "./projection-lab.fixture.ts";
import { CONTROL, FLEET } from "./stream-names.ts";
import type { TestHub } from "./test-hub.fixture.ts";

let lab: ProjectionLab;
let hub: TestHub;

beforeEach(async () => {
  lab = await ProjectionLab.open();
  hub = lab.hub;
});
afterEach(() => lab.close());

describe("Projection", () => {
  it("folds CONTROL and hosts' logs, each in order, and says how far it is", async () => {
    const [a, b] = [await hub.openLog("host-a"), await hub.openLog("host-b")];
    const app = await hub.createApp("hello");
    await Promise.all([a.appendMany(20), b.appendMany(20)]);
    const projection = await lab.project();
    await projection.caughtUp;
    expect(await reaches(projection, a)).toBe(true);
    expect(await reaches(projection, b)).toBe(true);
    const control = await controlLogId(hub.nc);
    expect(Object.fromEntries(projection.state)).toEqual({
      [control]: [app],
      [a.logId]: a.eventIds,
      [b.logId]: b.eventIds,
    });
    expect(projection.position()).toEqual({ [control]: 1, [a.logId]: 20, [b.logId]: 20 });
    expect(projection.staleness()).toEqual({ logs: [] });
  });

  it("tells listeners of each event once, after it was applied", async () => {
    const log = await hub.openLog("host-a");
    const projection = await lab.project();
    const told: string[] = [];
    const stop = projection.onEvent((event) => {
      expect(projection.position()[event.log]).toBe(event.sequence);
      told.push(event.header.id);
    });
    projection.onEvent(() => {
      throw new Error("a listener's bug is not the projection's");
    });
    await log.appendMany(5);
    await reaches(projection, log);
    expect(told).toEqual(log.eventIds);
    stop();
    await log.append();
    await reaches(projection, log);
    expect(told).toHaveLength(5);
  });

  it("lets readers wait no longer than they want", async () => {
    const projection = await lab.project();
    expect(await projection.waitFor({ nowhere: 1 }, 20)).toBe(false);
    expect(await projection.waitFor({}, 20)).toBe(true);
    const given = new AbortController();
    const waiting = projection.waitFor({ nowhere: 1 }, 60_000, given.signal);
    given.abort();
    expect(await waiting).toBe(false);
  });

  it("goes on when its consumer is taken away", async () => {
    const log = await hub.openLog("host-a");
    const projection = await lab.project();
    await log.append();
    await reaches(projection, log);
    const jsm = await jetstreamManager(hub.nc);
    for await (const { name } of jsm.consumers.list(FLEET)) await jsm.consumers.delete(FLEET, name);
    await log.appendMany(3);
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("keeps its last state without the hub, says since when, and goes on with it", async () => {
    const log = await hub.openLog("host-a");
    const projection = await lab.project();
    await log.appendMany(3);
    await reaches(projection, log);
    const beforeMs = hub.clock.nowMs();
    await hub.server.kill();
    await lab.eventually(() => expect(projection.staleness().loss).toBeDefined());
    expect(projection.staleness().loss!.sinceMs).toBeGreaterThanOrEqual(beforeMs);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    await hub.server.restart();
    await log.appendMany(3);
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    await lab.eventually(() => expect(projection.staleness().loss).toBeUndefined());
  });

  it("loses and repeats nothing while the hub is killed again and again", async () => {
    const log = await hub.openLog("host-a");
    const projection = await lab.project();
    for (let kill = 0; kill < 4; kill += 1) {
      // One by one: sent again after a kill, they would not stay in order otherwise.
      for (let event = 0; event < 50; event += 1) await log.append();
      await hub.server.restart();
    }
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("starts over when CONTROL is another one, and reads a new FLEET from its beginning", async () => {
    const log = await hub.openLog("host-a");
    const first = await hub.createApp("before");
    const projection = await lab.project();
    await log.appendMany(3);
    await reaches(projection, log);
    const old = await controlLogId(hub.nc);
    expect(projection.state.get(old)).toEqual([first]);
    const jsm = await jetstreamManager(hub.nc);
    for (const stream of [CONTROL, FLEET]) await jsm.streams.delete(stream);
    await ensureHubStreams(hub.nc, hub.ids);
    const second = await hub.createApp("after");
    await log.appendMany(2);
    await hub.source(log);
    const control = await controlLogId(hub.nc);
    expect(await projection.waitFor({ [control]: 1, [log.logId]: 5 }, 20_000)).toBe(true);
    expect(Object.fromEntries(projection.state)).toEqual({ [control]: [second], [log.logId]: log.eventIds });
  });

  it("misses nothing of a FLEET that was created anew alone", async () => {
    const log = await hub.openLog("host-a");
    await hub.createApp("hello");
    const projection = await lab.project({ checkpoints: true });
    await log.appendMany(10);
    await reaches(projection, log);
    await projection.stop();
    const jsm = await jetstreamManager(hub.nc);
    await jsm.streams.delete(FLEET);
    await ensureHubStreams(hub.nc, hub.ids);
    const other = await hub.openLog("host-b");
    await other.appendMany(10);
    // The other host's events stand where the checkpoint says that this one's were read.
    await lab.eventually(async () => expect((await jsm.streams.info(FLEET)).state.messages).toBe(10));
    await log.append();
    await hub.source(log);
    const again = await lab.project({ checkpoints: true });
    expect(await reaches(again, log)).toBe(true);
    expect(await reaches(again, other)).toBe(true);
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
    expect(again.state.get(other.logId)).toEqual(other.eventIds);
  });

  it("expects nothing more of a log that another one began with", async () => {
    const old = await hub.openLog("host-a", 3);
    await old.appendMany(4);
    const projection = await lab.project({ askOwner: silent });
    await lab.eventually(() =>
      expect(projection.staleness().logs).toMatchObject([{ log: old.logId, known: 4 }]),
    );
    await old.retire();
    const log = await hub.openLog("host-a");
    const previous = { logId: old.logId, sequence: 4, reason: "behind", state: {} };
    const opened = {
      hostId: "host-a",
      logId: log.logId,
      region: "r",
      clusterId: "c",
      subnet: "10.1",
      previous,
    };
    await log.appendEvent({ type: "HostLogOpened", data: opened });
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.staleness().logs).toEqual([]);
    // Whoever waits for the old log's end has it by now: the new log began with it.
    expect(await projection.waitFor({ [old.logId]: 4 }, 0)).toBe(true);
  });
});

describe("F15: history grows for a year", () => {
  it("and a start reads only what came after the checkpoint", async () => {
    const log = await hub.openLog("host-a");
    await hub.createApp("hello");
    await log.appendMany(500);
    const projection = await lab.project({ checkpoints: true });
    await reaches(projection, log);
    await projection.stop();
    await log.appendMany(3);
    await hub.createApp("other");
    const again = await lab.project({ checkpoints: true });
    expect(again.position()[log.logId]).toBe(500);
    const told: string[] = [];
    again.onEvent((event) => told.push(event.log));
    await again.caughtUp;
    expect(await reaches(again, log)).toBe(true);
    expect(told.filter((id) => id === log.logId)).toHaveLength(3);
    expect(told).toHaveLength(4);
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("and without the hub a start still has the last state, and says how old it is", async () => {
    const log = await hub.openLog("host-a");
    await hub.createApp("hello");
    await log.appendMany(3);
    const projection = await lab.project({ checkpoints: true });
    await reaches(projection, log);
    await projection.stop();
    const savedMs = hub.clock.nowMs();
    await hub.server.kill();
    const again = await lab.project({ checkpoints: true });
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
    expect(again.staleness().loss!.sinceMs).toBeLessThanOrEqual(savedMs);
    // Nor does it wait for the hub to stop.
    await again.stop();
  });
});
