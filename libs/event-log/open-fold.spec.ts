import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { type StoredMessage, subjects } from "#contracts";
import { openConfig } from "#testing";
import { Checkpoints } from "./checkpoints.ts";
import { countDomain, countFold, HOST } from "./count-domain.fixture.ts";
import type { HostLog } from "./host-log.ts";
import type { LogCopies } from "./open-fold.ts";
import { eventsOf, TestLeaf } from "./test-leaf.fixture.ts";

let leaf: TestLeaf;
beforeEach(async () => {
  leaf = await TestLeaf.start();
});
afterEach(() => leaf.stop());

/** A ledger that has counted for three machines, stopped: checkpoint at its end. */
async function history(rounds = 10): Promise<HostLog> {
  const ledger = await leaf.openLedger();
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(["m1", "m2", "m3"].map((machineId) => leaf.count(ledger, machineId)));
  }
  await ledger.close();
  return ledger.log;
}

/** What a hub would hold of a log that is whole now. */
async function copiesOf(log: HostLog): Promise<LogCopies> {
  const kept = (await log.stretch(1, 10_000)).events;
  return async function* (logId, fromSequence) {
    for (const { sequence, subject, headers, body } of kept) {
      if (logId !== log.logId || sequence < fromSequence) continue;
      const header = (name: string) => headers[name];
      yield { sequence, subject, header, body: Buffer.from(body) } satisfies StoredMessage;
    }
  };
}

/** Flips one bit of an event in the file where the server keeps it. */
function flipBit(sequence: number): void {
  const folder = join(leaf.server.storeDir, "jetstream/$G/streams");
  const file = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .find((name) => name.endsWith("1.blk"))!;
  const bytes = readFileSync(file);
  bytes[bytes.indexOf(`"sequence":${sequence},`) + 2]! ^= 1;
  writeFileSync(file, bytes);
}

/** Something that is no event of ours, in the log of a machine. */
async function publishGarbage(machineId: string): Promise<void> {
  const nc = await leaf.connect();
  const carried = headers();
  carried.set("Nats-Msg-Id", "garbage");
  await nc.request(subjects.machine(HOST, machineId), "garbage", { headers: carried, timeout: 5_000 });
}

const troublesOf = (kind: string) => leaf.troubles.filter((trouble) => trouble.kind === kind);

describe("F15: history grows", () => {
  it("and a start reads only what came after the last checkpoint", async () => {
    const fast = await TestLeaf.start((place) => openConfig(place).replace("sync_interval: always", ""));
    try {
      const ledger = await fast.openLedger({ checkpointEvery: 3_000 });
      for (let round = 0; round < 20; round += 1) {
        await Promise.all(Array.from({ length: 1_000 }, (_, index) => fast.count(ledger, `m${index % 100}`)));
      }
      await ledger.checkpoint();
      await Promise.all(Array.from({ length: 50 }, () => fast.count(ledger)));
      let evolved = 0;
      const fold = {
        ...countFold,
        evolve: (...args: Parameters<typeof countFold.evolve>) => {
          evolved += 1;
          return countFold.evolve(...args);
        },
      };
      const again = await fast.openLedger({ domain: { ...countDomain, fold } });
      expect(evolved).toBe(51);
      expect(again.state.counts).toEqual(ledger.state.counts);
      evolved = 0;
      const checkpoints = new Checkpoints(join(fast.folder, "none"));
      const whole = await fast.openLedger({ domain: { ...countDomain, fold }, checkpoints });
      expect(evolved).toBe(20_054);
      expect(whole.state.counts).toEqual(ledger.state.counts);
    } finally {
      await fast.stop();
    }
  }, 60_000);
});

describe("F18: an event in the log is bad", () => {
  it("its machine takes no commands and no events, all others go on, also after a start", async () => {
    await history();
    await publishGarbage("m2");
    for (const start of [1, 2]) {
      const ledger = await leaf.openLedger();
      expect(await leaf.count(ledger, "m2")).toMatchObject({
        kind: "refused",
        refusal: { code: "quarantined", details: { sequence: 33 } },
      });
      expect(await leaf.count(ledger, "m1")).toMatchObject({ kind: "accepted" });
      expect(ledger.state.counts).toEqual(
        new Map([
          ["m1", 10 + start],
          ["m2", 10],
          ["m3", 10],
        ]),
      );
      expect(ledger.quarantined).toMatchObject([{ sequence: 33, reason: "checksum" }]);
      expect(troublesOf("quarantined")).toHaveLength(start);
      await ledger.close();
    }
  });

  it("is set aside like one that the fold cannot take", async () => {
    const log = await history();
    const raw = await leaf.openLog();
    await raw.append(leaf.event("m3"));
    raw.close();
    const ledger = await leaf.openLedger();
    expect(ledger.quarantined).toMatchObject([{ log: log.logId, sequence: 33, reason: "evolve_failed" }]);
    expect(await leaf.count(ledger, "m3")).toMatchObject({ kind: "refused" });
    expect(await leaf.count(ledger, "m1")).toMatchObject({ kind: "accepted" });
  });

  it("a flipped bit makes the server skip it: all is refused, as nobody knows whose it was", async () => {
    await history();
    rmSync(join(leaf.folder, "checkpoints"), { recursive: true });
    await leaf.server.kill("SIGTERM");
    flipBit(20);
    await leaf.server.restart();
    const ledger = await leaf.openLedger();
    expect(ledger.quarantined).toContainEqual(expect.objectContaining({ sequence: 20, reason: "missing" }));
    for (const machineId of ["m1", "m2", "m3"]) {
      expect(await leaf.count(ledger, machineId)).toMatchObject({ refusal: { code: "quarantined" } });
    }
    // The other machines are known to their last event all the same.
    expect([...ledger.state.counts.values()].sort()).toEqual([10, 10, 5]);
  });

  it("is taken from the hub's copy where there is one", async () => {
    const copies = await copiesOf(await history());
    rmSync(join(leaf.folder, "checkpoints"), { recursive: true });
    await leaf.server.kill("SIGTERM");
    flipBit(20);
    await leaf.server.restart();
    const ledger = await leaf.openLedger({ copies });
    expect(ledger.quarantined).toEqual([]);
    expect(troublesOf("repaired")).toMatchObject([{ sequence: 20 }]);
    expect([...ledger.state.counts.values()]).toEqual([10, 10, 10]);
  });

  it("is repaired later, when there is a copy at a later start", async () => {
    const copies = await copiesOf(await history());
    rmSync(join(leaf.folder, "checkpoints"), { recursive: true });
    await leaf.server.kill("SIGTERM");
    flipBit(20);
    await leaf.server.restart();
    await (await leaf.openLedger()).close();
    const ledger = await leaf.openLedger({ copies });
    expect(ledger.quarantined).toEqual([]);
    expect(await leaf.count(ledger, "m1")).toMatchObject({ event: { data: { output: { count: 11 } } } });
  });
});

describe("a log that is not what it was", () => {
  it("F18: lost its tail to a flipped bit: its successor begins with all that is known", async () => {
    const copies = await copiesOf(await history());
    await leaf.server.kill();
    flipBit(20);
    await leaf.server.restart();
    const damaged = await leaf.openLog();
    expect(damaged.lastSequence).toBeLessThan(32);
    const ledger = await leaf.openLedger({ copies }, damaged);
    expect(ledger.log.logId).not.toBe(damaged.logId);
    expect(troublesOf("log_replaced")).toMatchObject([
      { logId: damaged.logId, sequence: 32, reason: "behind" },
    ]);
    expect([...ledger.state.counts.values()]).toEqual([10, 10, 10]);
    await leaf.count(ledger, "m1");
    const [first] = await eventsOf(ledger.log);
    expect(first).toMatchObject({
      type: "HostLogOpened",
      data: { logId: ledger.log.logId, previous: { logId: damaged.logId, sequence: 32, reason: "behind" } },
    });
    // The fold of the new log alone knows everything, without any checkpoint.
    const checkpoints = new Checkpoints(join(leaf.folder, "none"));
    const whole = await leaf.openLedger({ checkpoints });
    expect([...whole.state.counts.values()]).toEqual([11, 10, 10]);
  });

  it("was restored from an older copy of its disk", async () => {
    const before = await leaf.openLedger();
    await Promise.all(Array.from({ length: 10 }, () => leaf.count(before)));
    await before.close();
    await leaf.server.kill("SIGTERM");
    const backup = join(leaf.folder, "backup");
    cpSync(leaf.server.storeDir, backup, { recursive: true });
    await leaf.server.restart();
    const after = await leaf.openLedger();
    await Promise.all(Array.from({ length: 10 }, () => leaf.count(after)));
    await after.checkpoint();
    await Promise.all(Array.from({ length: 5 }, () => leaf.count(after)));
    const copies = await copiesOf(after.log);
    after.log.close();
    await leaf.server.kill("SIGTERM");
    rmSync(leaf.server.storeDir, { recursive: true });
    cpSync(backup, leaf.server.storeDir, { recursive: true });
    await leaf.server.restart();
    const ledger = await leaf.openLedger({ copies });
    expect(troublesOf("log_replaced")).toMatchObject([{ logId: before.log.logId, reason: "behind" }]);
    expect(ledger.state.counts.get("m1")).toBe(25);
    expect(await leaf.count(ledger)).toMatchObject({ event: { data: { output: { count: 26 } } } });
  });

  it("holds other events than the ones that were acknowledged", async () => {
    const log = await history();
    const elsewhere = new Checkpoints(join(leaf.folder, "elsewhere"));
    const jsm = await jetstreamManager(await leaf.connect());
    const { config } = await jsm.streams.info(log.stream);
    await jsm.streams.delete(log.stream);
    await jsm.streams.add(config);
    const other = await leaf.openLedger({ checkpoints: elsewhere });
    await Promise.all(Array.from({ length: 40 }, () => leaf.count(other, "m9")));
    const ledger = await leaf.openLedger();
    expect(troublesOf("log_replaced")).toMatchObject([{ logId: log.logId, reason: "diverged" }]);
    // What was acknowledged is what holds.
    expect([...ledger.state.counts]).toEqual([
      ["m1", 10],
      ["m2", 10],
      ["m3", 10],
    ]);
  });

  it.each(["with the hub's copy", "without it"])("is gone, %s", async (how) => {
    const ledger = await leaf.openLedger();
    await Promise.all(Array.from({ length: 10 }, () => leaf.count(ledger)));
    await ledger.checkpoint();
    await Promise.all(Array.from({ length: 10 }, () => leaf.count(ledger)));
    const copies = await copiesOf(ledger.log);
    const jsm = await jetstreamManager(await leaf.connect());
    await jsm.streams.delete(ledger.log.stream);
    const known = await leaf.checkpoints.load(1);
    const log = await leaf.openLog({ knownLogId: known?.log ?? "" });
    const withCopies = how === "without it" ? { copies: unreachable } : { copies };
    const next = await leaf.openLedger(withCopies, log);
    expect(troublesOf("log_replaced")).toMatchObject([{ logId: ledger.log.logId, reason: "lost" }]);
    expect(next.state.counts.get("m1")).toBe(how === "without it" ? 10 : 20);
    expect(troublesOf("no_copies")).toHaveLength(how === "without it" ? 1 : 0);
  });
});

const unreachable: LogCopies = () => {
  throw new Error("no hub");
};
