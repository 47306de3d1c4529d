import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import { subjects } from "#contracts";
import { liveEnd } from "./live-message.ts";
import { ProjectionLab, reaches, silent } from "./projection-lab.fixture.ts";
import type { TestHub } from "./test-hub.fixture.ts";

let lab: ProjectionLab;
let hub: TestHub;

beforeEach(async () => {
  lab = await ProjectionLab.open();
  hub = lab.hub;
});
afterEach(() => lab.close());

describe("F06: a replica that misses events", () => {
  it("sees the gap by its sequence, says that it is stale, and gets them from the owner", async () => {
    const log = await hub.openLog("host-a", 0);
    await log.appendMany(3);
    const jsm = await jetstreamManager(hub.nc);
    await jsm.streams.deleteMessage(log.stream, 2);
    await hub.source(log);
    let answers = false;
    const projection = await lab.project({
      askOwner: (hostId, question) => (answers ? log.answer(hostId, question) : silent(hostId, question)),
    });
    await lab.eventually(() =>
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
    const projection = await lab.project({ checkpoints: true, askOwner: silent });
    await lab.eventually(() => expect(projection.staleness().logs).toMatchObject([{ known: 5, applied: 0 }]));
    await projection.caughtUp;
    await projection.stop();
    const again = await lab.project({ checkpoints: true, askOwner: log.answer });
    expect(again.staleness().logs).toMatchObject([{ log: log.logId }]);
    expect(await reaches(again, log)).toBe(true);
    expect(again.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("gets more than it can hold back", async () => {
    const log = await hub.openLog("host-a", 2);
    await log.appendMany(2_000);
    const projection = await lab.project({ askOwner: log.answer });
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("goes on past what the owner itself has not got, and reports it", async () => {
    const log = await hub.openLog("host-a", 3);
    await log.appendMany(4);
    const projection = await lab.project({
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
    const projection = await lab.project({ askOwner: silent });
    await lab.eventually(() => expect(projection.staleness().logs).toHaveLength(1));
    await other.appendMany(5);
    expect(await reaches(projection, other)).toBe(true);
  });
});

describe("F16: a lost message of the live feed", () => {
  it("is brought by FLEET; what came before its turn waits", async () => {
    const log = await hub.openLog("host-a");
    await log.append();
    const projection = await lab.project();
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
    await lab.eventually(() => expect(projection.staleness().logs).toMatchObject([{ applied: 2, known: 4 }]));
    await hub.source(log);
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("is asked of the owner when FLEET does not bring it", async () => {
    const log = await hub.openLog("host-a", 0);
    await hub.register(log);
    const projection = await lab.project({ askOwner: log.answer });
    await projection.caughtUp;
    await log.appendMany(3);
    log.live(await log.append());
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });

  it("is noticed also where nothing follows it, once the host says how far its log goes", async () => {
    const [log, other] = [await hub.openLog("host-a", 0), await hub.openLog("host-b")];
    await hub.register(log);
    const projection = await lab.project({ askOwner: log.answer });
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
    const projection = await lab.project();
    await projection.caughtUp;
    for (let index = 0; index < 200; index += 1) log.live(await log.append());
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
  });
});
