import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import { z } from "zod";
import { type EncodedEvent, EventVocabulary, encodeEvent, subjects } from "#contracts";
import type { AskOwner } from "./gap-repair.ts";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import { liveEnd } from "./live-message.ts";
import { Projection } from "./projection.ts";
import type { QuarantinedEvent } from "./quarantine.ts";
import { CONTROL, FLEET } from "./stream-names.ts";
import { flipped, SEEN, type Seen, TestHub, type TestLog } from "./test-hub.fixture.ts";

let hub: TestHub;
let directory: string;
const running: Projection<Seen>[] = [];

interface Options {
  readonly askOwner?: AskOwner;
  readonly checkpoints?: boolean;
}

async function project({ askOwner, checkpoints = false }: Options = {}): Promise<Projection<Seen>> {
  const projection = await Projection.start({
    ...{ nc: hub.nc, clock: hub.clock, fold: SEEN },
    ...(askOwner === undefined ? {} : { askOwner }),
    ...(checkpoints ? { checkpointDirectory: directory } : {}),
  });
  running.push(projection);
  return projection;
}

/** Waits until something is so; fails the test when it never is. */
async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await check();
    } catch (error) {
      if (attempt === 200) throw error;
      await hub.clock.sleep(50);
    }
  }
}

function reaches(projection: Projection<Seen>, log: TestLog): Promise<boolean> {
  return projection.waitFor({ [log.logId]: log.lastSequence }, 20_000);
}

const silent: AskOwner = () => Promise.reject(new Error("nobody answers"));

beforeEach(async () => {
  hub = await TestHub.start();
  directory = await mkdtemp(join(tmpdir(), "drover-projection-"));
});
afterEach(async () => {
  for (const projection of running.splice(0)) await projection.stop();
  await hub.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("Projection", () => {
  it("folds CONTROL and hosts' logs, each in order, and says how far it is", async () => {
    const [a, b] = [await hub.openLog("host-a"), await hub.openLog("host-b")];
    const app = await hub.createApp("hello");
    await Promise.all([a.appendMany(20), b.appendMany(20)]);
    const projection = await project();
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
    const projection = await project();
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
    const projection = await project();
    expect(await projection.waitFor({ nowhere: 1 }, 20)).toBe(false);
    expect(await projection.waitFor({}, 20)).toBe(true);
    const given = new AbortController();
    const waiting = projection.waitFor({ nowhere: 1 }, 60_000, given.signal);
    given.abort();
    expect(await waiting).toBe(false);
  });

  it("goes on when its consumer is taken away", async () => {
    const log = await hub.openLog("host-a");
    const projection = await project();
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
    const projection = await project();
    await log.appendMany(3);
    await reaches(projection, log);
    const beforeMs = hub.clock.nowMs();
    await hub.server.kill();
    await eventually(() => expect(projection.staleness().loss).toBeDefined());
    expect(projection.staleness().loss!.sinceMs).toBeGreaterThanOrEqual(beforeMs);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    await hub.server.restart();
    await log.appendMany(3);
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    await eventually(() => expect(projection.staleness().loss).toBeUndefined());
  });

  it("loses and repeats nothing while the hub is killed again and again", async () => {
    const log = await hub.openLog("host-a");
    const projection = await project();
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
    const projection = await project();
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
    const projection = await project({ checkpoints: true });
    await log.appendMany(10);
    await reaches(projection, log);
    await projection.stop();
    const jsm = await jetstreamManager(hub.nc);
    await jsm.streams.delete(FLEET);
    await ensureHubStreams(hub.nc, hub.ids);
    const other = await hub.openLog("host-b");
    await other.appendMany(10);
    await log.append();
    await hub.source(log);
    const again = await project({ checkpoints: true });
    expect(await reaches(again, log)).toBe(true);
    expect(await reaches(again, other)).toBe(true);
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
    expect(again.state.get(other.logId)).toEqual(other.eventIds);
  });

  it("expects nothing more of a log that another one began with", async () => {
    const old = await hub.openLog("host-a", 3);
    await old.appendMany(4);
    const projection = await project({ askOwner: silent });
    await eventually(() => expect(projection.staleness().logs).toMatchObject([{ log: old.logId, known: 4 }]));
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

describe("F01: one valid but odd event", () => {
  const strange = new EventVocabulary({ HostDanced: z.unknown(), HostAlarmRaised: z.unknown() }, {});
  const newer = new EventVocabulary({ HostAlarmRaised: z.unknown() }, { HostAlarmRaised: [(data) => data] });

  /** Rewrites an event as another version of Drover would have written it. */
  function rewritten(log: TestLog, type: string, version: number, vocabulary: EventVocabulary) {
    return (message: EncodedEvent): EncodedEvent => {
      const event = hub.event(
        { type: "HostAlarmRaised", data: { hostId: "host-a", alarm: "", message: "" } },
        message.subject,
      );
      const odd = { ...event, type, header: { ...event.header, version } } as typeof event;
      return encodeEvent(odd, { log: log.logId, sequence: log.lastSequence }, vocabulary);
    };
  }

  it("is set aside and reported, all others apply, and a restart does not poison again", async () => {
    const log = await hub.openLog("host-a");
    const reported: QuarantinedEvent[] = [];
    const projection = await project({ checkpoints: true, askOwner: silent });
    projection.onQuarantine((event) => reported.push(event));
    await log.append();
    await log.append("test", rewritten(log, "HostDanced", 1, strange));
    await log.append("test", rewritten(log, "HostAlarmRaised", 2, newer));
    await log.append("poison");
    await log.append("test", (message) => ({ ...message, body: "gibberish" }));
    await log.append();
    await hub.createApp("poison");
    await hub.createApp("hello");
    const control = await controlLogId(hub.nc);
    expect(await reaches(projection, log)).toBe(true);
    expect(await projection.waitFor({ [control]: 2 }, 20_000)).toBe(true);

    const places = (events: readonly QuarantinedEvent[]) =>
      events
        .filter((event) => event.log === log.logId)
        .map(({ sequence, reason }) => `${sequence} ${reason}`);
    const wanted = ["2 unknown_type", "3 newer_version", "4 evolve_failed", "5 checksum"];
    expect(places(reported)).toEqual(wanted);
    expect(reported.find((event) => event.log === control)).toMatchObject({
      sequence: 1,
      reason: "evolve_failed",
      subject: subjects.control("app", "poison"),
      type: "AppCreated",
    });
    const [first, , , , , last] = log.eventIds;
    expect(projection.state.get(log.logId)).toEqual([first, last]);
    expect(projection.state.get(control)).toHaveLength(1);

    await projection.stop();
    for (const checkpoints of [true, false]) {
      const again = await project({ checkpoints, askOwner: silent });
      expect(await reaches(again, log)).toBe(true);
      await again.caughtUp;
      expect(again.state.get(log.logId)).toEqual([first, last]);
      expect(places(again.quarantine.events)).toEqual(wanted);
      expect(again.quarantine.of(subjects.host("host-a"))).toHaveLength(4);
      await log.append();
      expect(await reaches(again, log)).toBe(true);
      expect(again.state.get(log.logId)).toEqual([first, ...log.eventIds.slice(5)]);
      // So that the second round expects what the first did.
      if (checkpoints) break;
    }
  });

  it("F18: is read from its owner where only FLEET's copy is damaged", async () => {
    const log = await hub.openLog("host-a");
    await log.appendMany(2);
    await log.append("test", flipped);
    await log.appendMany(2);
    const projection = await project({ askOwner: log.answer });
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    expect(projection.quarantine.count).toBe(0);
  });

  it("does not let one host speak in another's name", async () => {
    const [log, victim] = [await hub.openLog("host-a"), await hub.openLog("host-b")];
    await victim.append();
    const projection = await project({ askOwner: silent });
    await reaches(projection, victim);
    await log.append("test", (message) => {
      const forged = hub.event(
        { type: "HostAlarmRaised", data: { hostId: "host-b", alarm: "", message: "" } },
        message.subject,
      );
      return encodeEvent(forged, { log: victim.logId, sequence: 2 });
    });
    const alarm = hub.event(
      { type: "HostAlarmRaised", data: { hostId: "host-b", alarm: "", message: "" } },
      subjects.host("host-b"),
    );
    log.live(encodeEvent(alarm, { log: victim.logId, sequence: 2 }));
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.position()[victim.logId]).toBe(1);
    expect(projection.quarantine.events).toMatchObject([
      { log: log.logId, sequence: 1, reason: "misplaced" },
    ]);
  });
});

describe("F06: a replica that misses events", () => {
  it("sees the gap by its sequence, says that it is stale, and gets them from the owner", async () => {
    const log = await hub.openLog("host-a", 0);
    await log.appendMany(3);
    const jsm = await jetstreamManager(hub.nc);
    await jsm.streams.deleteMessage(log.stream, 2);
    await hub.source(log);
    let answers = false;
    const projection = await project({
      askOwner: (hostId, question) => (answers ? log.answer(hostId, question) : silent(hostId, question)),
    });
    await eventually(() =>
      expect(projection.staleness().logs).toMatchObject([
        { log: log.logId, hostId: "host-a", applied: 1, known: 3 },
      ]),
    );
    const [stale] = projection.staleness().logs;
    expect(stale!.sinceMs).toBeLessThanOrEqual(hub.clock.nowMs());
    expect(projection.state.get(log.logId)).toEqual(log.eventIds.slice(0, 1));
    answers = true;
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    expect(projection.staleness().logs).toEqual([]);
  });

  it("remembers over a restart what it has missed", async () => {
    const log = await hub.openLog("host-a", 2);
    await hub.createApp("hello");
    await log.appendMany(5);
    const projection = await project({ checkpoints: true, askOwner: silent });
    await eventually(() => expect(projection.staleness().logs).toMatchObject([{ known: 5, applied: 0 }]));
    await projection.caughtUp;
    await projection.stop();
    const again = await project({ checkpoints: true, askOwner: log.answer });
    expect(again.staleness().logs).toMatchObject([{ log: log.logId }]);
    expect(await reaches(again, log)).toBe(true);
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("gets more than it can hold back", async () => {
    const log = await hub.openLog("host-a", 2);
    await log.appendMany(2_000);
    const projection = await project({ askOwner: log.answer });
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("goes on past what the owner itself has not got, and reports it", async () => {
    const log = await hub.openLog("host-a", 3);
    await log.appendMany(4);
    const projection = await project({
      askOwner: async (hostId, question) => {
        const { events, lastSequence } = await log.answer(hostId, question);
        return { events: events.filter(({ sequence }) => sequence > 2), lastSequence };
      },
    });
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds.slice(2));
    expect(projection.quarantine.events).toMatchObject([{ log: log.logId, sequence: 1, reason: "missing" }]);
  });

  it("does not let the others wait", async () => {
    const [log, other] = [await hub.openLog("host-a", 3), await hub.openLog("host-b")];
    await log.appendMany(5);
    const projection = await project({ askOwner: silent });
    await eventually(() => expect(projection.staleness().logs).toHaveLength(1));
    await other.appendMany(5);
    expect(await reaches(projection, other)).toBe(true);
  });
});

describe("F16: a lost message of the live feed", () => {
  it("is brought by FLEET; what came before its turn waits", async () => {
    const log = await hub.openLog("host-a");
    await log.append();
    const projection = await project();
    await reaches(projection, log);
    // FLEET is away for a while, the live feed is not: and it loses one.
    await hub.unsource(log);
    const two = await log.append();
    log.live(two);
    expect(await reaches(projection, log)).toBe(true);
    await log.append();
    const four = await log.append();
    log.live(four);
    log.live(four);
    await eventually(() => expect(projection.staleness().logs).toMatchObject([{ applied: 2, known: 4 }]));
    await hub.source(log);
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("is asked of the owner when FLEET does not bring it", async () => {
    const log = await hub.openLog("host-a", 0);
    await hub.register(log);
    const projection = await project({ askOwner: log.answer });
    await projection.caughtUp;
    await log.appendMany(3);
    log.live(await log.append());
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("is noticed also where nothing follows it, once the host says how far its log goes", async () => {
    const [log, other] = [await hub.openLog("host-a", 0), await hub.openLog("host-b")];
    await hub.register(log);
    const projection = await project({ askOwner: log.answer });
    await projection.caughtUp;
    await log.appendMany(3);
    log.announceEnd();
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    // No host says it for another.
    await other.append();
    expect(await reaches(projection, other)).toBe(true);
    const { headers } = liveEnd(other.logId, 9);
    hub.nc.publish(subjects.live("host-a"), "", { headers });
    log.live(await log.append());
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.staleness().logs).toEqual([]);
  });

  it("is nothing where all come both ways", async () => {
    const log = await hub.openLog("host-a");
    await hub.register(log);
    const projection = await project();
    await projection.caughtUp;
    for (let index = 0; index < 200; index += 1) log.live(await log.append());
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });
});

describe("F15: history grows for a year", () => {
  it("and a start reads only what came after the checkpoint", async () => {
    const log = await hub.openLog("host-a");
    await hub.createApp("hello");
    await log.appendMany(500);
    const projection = await project({ checkpoints: true });
    await reaches(projection, log);
    await projection.stop();
    await log.appendMany(3);
    await hub.createApp("other");
    const again = await project({ checkpoints: true });
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
    const projection = await project({ checkpoints: true });
    await reaches(projection, log);
    await projection.stop();
    const savedMs = hub.clock.nowMs();
    await hub.server.kill();
    const again = await project({ checkpoints: true });
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
    expect(again.staleness().loss!.sinceMs).toBeLessThanOrEqual(savedMs);
    await hub.server.restart();
    await again.caughtUp;
  });
});
