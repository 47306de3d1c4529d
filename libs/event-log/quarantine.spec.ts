import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { type EncodedEvent, EventVocabulary, encodeEvent, subjects } from "#contracts";
import { controlLogId } from "./hub-streams.ts";
import { ProjectionLab, reaches, silent } from "./projection-lab.fixture.ts";
import type { QuarantinedEvent } from "./quarantine.ts";
import { flipped, type TestHub, type TestLog } from "./test-hub.fixture.ts";

let lab: ProjectionLab;
let hub: TestHub;

beforeEach(async () => {
  lab = await ProjectionLab.open();
  hub = lab.hub;
});
afterEach(() => lab.close());

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
    const projection = await lab.project({ checkpoints: true, askOwner: silent });
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
      const again = await lab.project({ checkpoints, askOwner: silent });
      await log.append();
      expect(await reaches(again, log)).toBe(true);
      expect(again.state.get(log.logId)).toEqual([first, ...log.eventIds.slice(5)]);
      expect(places(again.quarantine.events)).toEqual(wanted);
      expect(again.quarantine.of(subjects.host("host-a"))).toHaveLength(4);
    }
  });

  it("F18: is read from its owner where only FLEET's copy is damaged", async () => {
    const log = await hub.openLog("host-a");
    await log.appendMany(2);
    await log.append("test", flipped);
    await log.appendMany(2);
    const projection = await lab.project({ askOwner: log.answer });
    expect(await reaches(projection, log)).toBe(true);
    expect(projection.state.get(log.logId)).toEqual(log.eventIds);
    expect(projection.quarantine.count).toBe(0);
  });

  it("does not let one host speak in another's name", async () => {
    const [log, victim] = [await hub.openLog("host-a"), await hub.openLog("host-b")];
    await victim.append();
    const projection = await lab.project({ askOwner: silent });
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
