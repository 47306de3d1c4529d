import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { canonicalHash, HybridClock, RefusedError } from "#kernel";
import { type NatsServerPlace, openConfig } from "#testing";
import { countFold } from "./count-domain.fixture.ts";
import { FencedError, LogFullError, LogUnavailableError } from "./log-errors.ts";
import { type CountLedger, eventsOf, TestLeaf } from "./test-leaf.fixture.ts";
import { TestLink } from "./test-link.fixture.ts";

let leaf: TestLeaf;
beforeEach(async () => {
  leaf = await TestLeaf.start();
});
afterEach(() => leaf.stop());

const hashOf = (ledger: CountLedger) => canonicalHash(countFold.toJson(ledger.state));

describe("Ledger", () => {
  it("opens a new log, claims it, and decides each command on what all before it left", async () => {
    const ledger = await leaf.openLedger();
    const counted = await Promise.all(Array.from({ length: 100 }, () => leaf.count(ledger)));
    expect(counted.map((one) => one.kind === "accepted" && one.event.sequence)).toEqual(
      counted.map((_, index) => index + 3),
    );
    const events = await eventsOf(ledger.log);
    expect(events.slice(0, 2).map((event) => event.type)).toEqual(["HostLogOpened", "AgentEpochClaimed"]);
    expect(events.slice(2).map((event) => event.data)).toEqual(
      events.slice(2).map((_, index) => expect.objectContaining({ output: { count: index + 1 } })),
    );
    expect(counted.at(-1)).toMatchObject({ position: { [ledger.log.logId]: 102 } });
  });

  it("writes down what each decision was made from, and who asked", async () => {
    const ledger = await leaf.openLedger();
    const counted = await leaf.count(ledger);
    const event = (await eventsOf(ledger.log)).at(-1);
    expect(counted).toMatchObject({ kind: "accepted", event });
    expect(event).toMatchObject({
      header: { actor: "test", causationId: event?.decision?.commandId },
      decision: { command: "Count", inputs: { machineId: "m1" } },
    });
  });

  it("tells its listeners of each event in order, and of one that throws only itself", async () => {
    const ledger = await leaf.openLedger();
    const heard: number[] = [];
    ledger.onEvent(() => {
      throw new Error("deaf");
    });
    ledger.onEvent((event) => heard.push(event.sequence));
    await Promise.all(Array.from({ length: 30 }, () => leaf.count(ledger)));
    expect(heard).toEqual(Array.from({ length: 30 }, (_, index) => index + 3));
    expect(leaf.troubles.filter((trouble) => trouble.kind === "listener_failed")).toHaveLength(30);
  });

  it("answers nobody before all that the answer rests on is acknowledged (I2)", async () => {
    const link = await TestLink.to(leaf.server.port);
    const log = await leaf.openLog({ ackTimeoutMs: 200 }, await leaf.connect(link.url));
    const ledger = await leaf.openLedger({}, log);
    await leaf.count(ledger);
    link.loseAnswers();
    const answered: string[] = [];
    const accepted = leaf.count(ledger).then(() => answered.push("accepted"));
    const refused = leaf.count(ledger, "m1", 2).then((one) => answered.push(one.kind));
    expect(ledger.state.counts.get("m1")).toBe(2);
    await leaf.clock.sleep(50);
    expect(answered).toEqual([]);
    link.break();
    await Promise.all([accepted, refused]);
    expect(answered).toEqual(["accepted", "refused"]);
    await link.close();
  });

  it("writes a refusal down at once, and its repeats not one by one", async () => {
    const ledger = await leaf.openLedger();
    const refused = await Promise.all(Array.from({ length: 50 }, () => leaf.count(ledger, "m1", 0)));
    expect(refused.every((one) => one.kind === "refused" && one.refusal.code === "wrong_state")).toBe(true);
    await leaf.count(ledger, "m2", 0);
    await ledger.settled();
    const events = await eventsOf(ledger.log);
    expect(events.slice(2)).toMatchObject([
      { type: "HostCommandRefused", data: { machineId: "m1", count: 1 } },
      { type: "HostCommandRefused", data: { machineId: "m2", count: 1 } },
    ]);
  });

  it("folds to the same state whoever folds, from wherever (I4)", async () => {
    const ledger = await leaf.openLedger();
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => leaf.count(ledger, `m${index % 3}`)));
      if (round === 2) await ledger.checkpoint();
    }
    const whole = await leaf.openLedger({ checkpoints: emptyCheckpoints() });
    const after = await leaf.openLedger();
    expect(whole.state.epoch).toBe(2);
    expect(after.state.epoch).toBe(3);
    after.state.epoch = 1;
    whole.state.epoch = 1;
    expect([hashOf(whole), hashOf(after)]).toEqual([hashOf(ledger), hashOf(ledger)]);
  });
});

function emptyCheckpoints() {
  return { save: async () => undefined, load: async () => undefined } as never;
}

describe("Ledger, when its log fails it", () => {
  it("fails what waits, folds what stands in the log, and goes on from there (F34)", async () => {
    const small = (place: NatsServerPlace) =>
      openConfig(place).replace("sync_interval", "max_file_store: 60000, sync_interval");
    const limited = await TestLeaf.start(small);
    try {
      const ledger = await limited.openLedger();
      const counts = await Promise.allSettled(Array.from({ length: 200 }, () => limited.count(ledger)));
      const told = counts.filter((one) => one.status === "fulfilled").length;
      expect(told).toBeGreaterThan(10);
      expect(told).toBeLessThan(200);
      expect(
        counts.slice(told).every((one) => one.status === "rejected" && one.reason instanceof LogFullError),
      ).toBe(true);
      // Refused against what stands in the log, not against what might have.
      expect(await limited.count(ledger, "m1", told)).toMatchObject({ kind: "refused" });
      expect(ledger.state.counts.get("m1")).toBe(told);
      await limited.server.reload(openConfig(limited.server)).catch(() => undefined);
      await limited.server.restart();
      expect(await limited.count(ledger)).toMatchObject({ event: { data: { output: { count: told + 1 } } } });
    } finally {
      await limited.stop();
    }
  });

  it("takes nothing more once it is closed", async () => {
    const ledger = await leaf.openLedger();
    await leaf.count(ledger);
    await ledger.close();
    await expect(leaf.count(ledger)).rejects.toThrow(LogUnavailableError);
    expect((await leaf.openLedger()).state.counts.get("m1")).toBe(1);
  });
});

describe("F19: two agents run for one host", () => {
  it.each([
    ["the first goes on", true],
    ["the second goes on", false],
  ])("and %s: only one of them decides, and every number is given out once", async (_, firstWritesLast) => {
    const fenced: string[] = [];
    const first = await leaf.openLedger({ onFenced: () => fenced.push("first") });
    await leaf.count(first);
    const second = await leaf.openLedger({ onFenced: () => fenced.push("second") });
    if (firstWritesLast) {
      // The second claimed the log: the first is out, whatever it has under way.
      const late = await Promise.allSettled(Array.from({ length: 20 }, () => leaf.count(first)));
      expect(late.every((one) => one.status === "rejected" && one.reason instanceof FencedError)).toBe(true);
      expect(fenced).toEqual(["first"]);
    }
    await Promise.all(Array.from({ length: 20 }, () => leaf.count(second)));
    await expect(leaf.count(first)).rejects.toThrow(FencedError);
    await expect(leaf.count(first)).rejects.toThrow(RefusedError);
    // An agent that is fenced may begin again: then the other one is out.
    const again = await leaf.openLedger({});
    await leaf.count(again);
    await expect(leaf.count(second)).rejects.toThrow(FencedError);
    expect(fenced).toEqual(["first", "second"]);
    const reader = await leaf.openLedger({ checkpoints: emptyCheckpoints() });
    expect(reader.state).toMatchObject({ epoch: 4, counts: new Map([["m1", 22]]) });
    expect(reader.quarantined).toEqual([]);
  });

  it("interleaved to the last: what either was told is written, and nothing else", async () => {
    const told: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const ledgers = await Promise.allSettled([leaf.openLedger(), leaf.openLedger()]);
      const open = ledgers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const counts = open.flatMap((ledger) => Array.from({ length: 15 }, () => leaf.count(ledger)));
      for (const one of await Promise.allSettled(counts)) {
        if (one.status === "fulfilled" && one.value.kind === "accepted") told.push(one.value.event.sequence);
      }
    }
    const events = await eventsOf(await leaf.openLog());
    const counted = events.filter((event) => event.type === "StepCompleted");
    expect(counted.map((event) => event.sequence)).toEqual(told.sort((a, b) => a - b));
    expect(counted.map((event) => event.data.output)).toEqual(
      counted.map((_, index) => ({ count: index + 1 })),
    );
  });
});

describe("F20: the wall clock jumps", () => {
  it("events keep their order, and their clocks never go back", async () => {
    const clock = Object.assign(Object.create(leaf.clock) as typeof leaf.clock, { offsetMs: 0 });
    Object.defineProperty(clock, "nowMs", { value: () => leaf.clock.nowMs() + clock.offsetMs });
    let ledger = await leaf.openLedger({ clock, hybridClock: new HybridClock(clock) });
    for (const offsetMs of [0, 3_600_000, -86_400_000, 0, -5]) {
      clock.offsetMs = offsetMs;
      await Promise.all(Array.from({ length: 5 }, () => leaf.count(ledger)));
      // A start in between: the clock goes on from the log, not from the wall.
      await ledger.close();
      ledger = await leaf.openLedger({ clock, hybridClock: new HybridClock(clock) });
    }
    const clocks = (await eventsOf(ledger.log)).map((event) => event.header.clock);
    expect(clocks).toEqual([...clocks].sort());
    expect(new Set(clocks).size).toBe(clocks.length);
    expect(ledger.state.counts.get("m1")).toBe(25);
  });

  it("an event is later than its cause, unless that comes from a broken clock", async () => {
    const ledger = await leaf.openLedger();
    const at = (aheadMs: number) => `${(leaf.clock.nowMs() + aheadMs).toString(16).padStart(12, "0")}-0000`;
    const meta = { commandId: "c", correlationId: "c", causationId: "c", actor: "test" };
    const command = { type: "Count", machineId: "m1", commandId: "c", atMs: 0 } as const;
    const near = at(20_000);
    const counted = await ledger.execute(command, { ...meta, clock: near });
    expect(counted.kind === "accepted" && counted.event.header.clock > near).toBe(true);
    await ledger.execute(command, { ...meta, clock: at(600_000) });
    const last = (await eventsOf(ledger.log)).at(-1);
    expect(last !== undefined && last.header.clock < at(60_000)).toBe(true);
    expect(leaf.troubles).toMatchObject([{ kind: "clock_ahead" }]);
  });
});
