import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import { decodeEvent, subjects } from "#contracts";
import { HOST } from "./count-domain.fixture.ts";
import { fromLive } from "./live-message.ts";
import { FencedError, LogUnavailableError } from "./log-errors.ts";
import { hostStream } from "./stream-names.ts";
import { eventsOf, good, TestLeaf } from "./test-leaf.fixture.ts";

let leaf: TestLeaf;
beforeEach(async () => {
  leaf = await TestLeaf.start();
});
afterEach(() => leaf.stop());

describe("a host's log", () => {
  it("is minted with an id of its own, and found again", async () => {
    const log = await leaf.openLog();
    expect(log.found).toEqual({ kind: "fresh" });
    expect(log.stream).toBe(hostStream(HOST, log.logId));
    await log.append(leaf.event());
    const again = await leaf.openLog();
    expect(again.logId).toBe(log.logId);
    expect(again.found).toEqual({ kind: "continues" });
    expect(again.end).toEqual(log.end);
  });

  it("writes many appends in the order of the calls, each where it says", async () => {
    const log = await leaf.openLog({ maxInFlight: 16 });
    const events = Array.from({ length: 500 }, (_, index) => leaf.event(`m${index % 7}`));
    const sequences = await Promise.all(events.map((event) => log.append(event)));
    expect(sequences).toEqual(events.map((_, index) => index + 1));
    const read = await eventsOf(log);
    expect(read.map((event) => event.header.id)).toEqual(events.map((event) => event.header.id));
    expect(read.every((event) => event.log === log.logId)).toBe(true);
    expect(await log.stretch(499, 10)).toMatchObject({
      events: [{ sequence: 499 }, { sequence: 500 }],
      lastSequence: 500,
    });
  });

  it("publishes each event on the live feed once it is stored", async () => {
    const listener = await leaf.connect();
    const heard: number[] = [];
    const subscription = listener.subscribe(subjects.live(HOST));
    await listener.flush();
    const log = await leaf.openLog();
    await Promise.all(Array.from({ length: 20 }, () => log.append(leaf.event())));
    for await (const message of subscription) {
      heard.push(good(decodeEvent(fromLive(message))).sequence);
      if (heard.length === 20) break;
    }
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it("refuses what it could only queue for ever, and what does not fit", async () => {
    const log = await leaf.openLog({ maxInFlight: 2, maxWaiting: 3 });
    const appends = Array.from({ length: 6 }, () => log.append(leaf.event()));
    await expect(appends[5]).rejects.toThrow(LogUnavailableError);
    expect(await Promise.all(appends.slice(0, 5))).toEqual([1, 2, 3, 4, 5]);
    const huge = {
      ...leaf.event(),
      decision: { command: "x", commandId: "x", inputs: { x: "x".repeat(2e6) } },
    };
    await expect(log.append(huge)).rejects.toThrow(RangeError);
    expect(await log.append(leaf.event())).toBe(6);
  });

  it("takes nothing after it was closed", async () => {
    const log = await leaf.openLog();
    log.close();
    await expect(log.append(leaf.event())).rejects.toThrow(LogUnavailableError);
  });
});

describe("F19: a second writer of a host's log", () => {
  it("cannot follow another's event with a pipeline that was under way", async () => {
    const [first, second] = [await leaf.openLog(), await leaf.openLog()];
    const winner = await second.append(leaf.event());
    // The first's second append expects sequence 1 before it, and finds it: only that it is not the first's own stops it.
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => first.append(leaf.event())));
    expect(outcomes.every((one) => one.status === "rejected" && one.reason instanceof FencedError)).toBe(
      true,
    );
    expect((await eventsOf(await leaf.openLog())).map((event) => event.sequence)).toEqual([winner]);
  });

  it("writes all or nothing of what both have under way at once", async () => {
    const logs = [await leaf.openLog(), await leaf.openLog()];
    const both = logs.flatMap((log) => Array.from({ length: 50 }, () => log.append(leaf.event())));
    const outcomes = await Promise.allSettled(both);
    const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
    const stored = (await eventsOf(await leaf.openLog())).map((event) => event.sequence);
    expect(won.map((outcome) => outcome.value).sort((a, b) => a - b)).toEqual(stored);
    const lost = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(lost.every((outcome) => outcome.reason instanceof FencedError)).toBe(true);
  });

  it("is refused for good once the other has written, in both directions", async () => {
    const [first, second] = [await leaf.openLog(), await leaf.openLog()];
    await first.append(leaf.event());
    await expect(second.append(leaf.event())).rejects.toThrow(FencedError);
    await expect(second.append(leaf.event())).rejects.toThrow(FencedError);
    const third = await leaf.openLog();
    await third.append(leaf.event());
    await expect(first.append(leaf.event())).rejects.toThrow(FencedError);
    expect(await eventsOf(third)).toHaveLength(2);
  });
});

describe("a log that is replaced", () => {
  it("is kept aside, and its successor knows of it at any point of the way", async () => {
    const log = await leaf.openLog();
    await log.append(leaf.event());
    await log.retire("behind");
    await expect(log.append(leaf.event())).rejects.toThrow(LogUnavailableError);
    const successor = await leaf.openLog();
    const previous = { logId: log.logId, reason: "behind", stream: log.stream };
    expect(successor.found).toEqual({ kind: "successor", previous });
    expect(successor.logId).not.toBe(log.logId);
    // It never got its first event: the next one to open it is told the same.
    const again = await leaf.openLog();
    expect(again.logId).toBe(successor.logId);
    expect(again.found).toEqual(successor.found);
    expect(await again.readerOf(log.stream).eventIdAt(1)).toBe(log.end.eventId);
    await again.append(leaf.event());
    expect((await leaf.openLog()).found).toEqual({ kind: "continues" });
  });

  it("is replaced by one that names it when its stream is gone", async () => {
    const log = await leaf.openLog();
    await log.append(leaf.event());
    const jsm = await jetstreamManager(await leaf.connect());
    await jsm.streams.delete(log.stream);
    await expect(log.append(leaf.event())).rejects.toThrow(FencedError);
    const next = await leaf.openLog({ knownLogId: log.logId });
    expect(next.found).toEqual({ kind: "successor", previous: { logId: log.logId, reason: "lost" } });
  });
});
