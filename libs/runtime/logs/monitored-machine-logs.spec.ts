import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CraftedLog } from "./crafted-log.fixture.ts";
import { machineLogsContract, take } from "./machine-logs.contract.ts";
import { MonitoredMachineLogs } from "./monitored-machine-logs.ts";

const SEGMENT_BYTES = 4_096;
const never = new AbortController().signal;

machineLogsContract("monitored", async () => {
  const dir = await mkdtemp(join(tmpdir(), "drover-logs-"));
  const logs = await MonitoredMachineLogs.open({ dir, segmentBytes: SEGMENT_BYTES });
  return {
    logs,
    async write(machineId, { stream, text, atMs }) {
      const log = new CraftedLog(join(dir, machineId, "output.log"), SEGMENT_BYTES);
      log.record(stream, "F", text, atMs);
      log.close();
    },
    async close() {
      logs.close();
      await rm(dir, { recursive: true });
    },
  };
});

describe("monitored machine logs", () => {
  let dir: string;
  let logs: MonitoredMachineLogs;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "drover-logs-"));
    logs = await open();
  });
  afterEach(async () => {
    logs.close();
    await rm(dir, { recursive: true });
  });
  const open = () =>
    MonitoredMachineLogs.open({ dir, segmentBytes: SEGMENT_BYTES, maxBytes: 5 * SEGMENT_BYTES });
  const begin = async () => new CraftedLog(await logs.prepare("m1"), SEGMENT_BYTES);
  const texts = async (tail: number) => (await logs.read("m1", tail)).map(({ text }) => text);
  const sizeOfAll = async () => {
    const files = (await readdir(join(dir, "m1"))).filter((name) => name !== "output.log");
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(dir, "m1", name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  it("loses no line at a rotation, for readers and followers", async () => {
    const log = await begin();
    log.record("stdout", "F", "first");
    const expected = ["first"];
    const followed = take(logs.follow("m1", 1_000, never), 150);
    for (let n = 1; n < 150; n += 1) {
      log.record("stdout", "F", `line ${n} ${"x".repeat(50)}`);
      expected.push(`line ${n} ${"x".repeat(50)}`);
      if (n % 10 === 0) await logs.read("m1", 1);
    }
    expect((await followed).map(({ text }) => text)).toEqual(expected);
    expect((await readdir(join(dir, "m1"))).length).toBeGreaterThan(3);
    expect(await texts(150)).toEqual(expected);
    log.close();
  });

  it("joins a line across a rotation", async () => {
    const log = await begin();
    log.record("stdout", "P", "a".repeat(3_000));
    log.record("stdout", "F", "b".repeat(3_000));
    expect(await texts(1)).toEqual(["a".repeat(3_000) + "b".repeat(3_000)]);
    log.close();
  });

  it("keeps the newest lines in bounded room, whatever is written", async () => {
    const log = await begin();
    for (let n = 0; n < 5_000; n += 1) {
      log.record("stdout", n % 2 === 0 ? "P" : "F", `${n} ${"x".repeat(100)}`);
      if (n % 20 === 0) await logs.read("m1", 1);
    }
    await logs.read("m1", 1);
    expect(await sizeOfAll()).toBeLessThan(7 * SEGMENT_BYTES);
    expect((await texts(1))[0]).toContain("4999");
    log.close();
  });

  it("bounds its room while nobody watches, and takes up again what is there (I5)", async () => {
    const log = await begin();
    logs.close();
    for (let n = 0; n < 500; n += 1) log.record("stdout", "F", `line ${n} ${"x".repeat(100)}`);
    logs = await open();
    expect(await sizeOfAll()).toBeLessThan(3 * SEGMENT_BYTES);
    expect((await texts(1))[0]).toContain("line 499");
    log.record("stdout", "F", "after");
    for await (const { text } of logs.follow("m1", 10, never)) if (text === "after") break;
    log.close();
  });

  it("reads only as much as it needs of a long log", async () => {
    await rm(dir, { recursive: true });
    logs = await MonitoredMachineLogs.open({ dir, segmentBytes: 8 * 1024 ** 2 });
    const log = new CraftedLog(await logs.prepare("m1"), 8 * 1024 ** 2);
    for (let n = 0; n < 60; n += 1) {
      log.raw(
        Buffer.from(`2026-11-24T23:16:15.945871797+00:00 stdout F ${n} ${"x".repeat(8_000)}\n`.repeat(20)),
      );
    }
    for (const tail of [1, 10, 100, 1_000, 1_199, 1_200, 1_201]) {
      expect(await texts(tail)).toHaveLength(Math.min(tail, 1_200));
    }
    expect((await texts(21))[0]).toMatch(/^58 /);
    log.close();
  });

  it("ends the line that a dead process left open", async () => {
    const first = await begin();
    first.record("stdout", "P", "last words");
    first.close();
    const second = await begin();
    second.record("stdout", "F", "first words");
    expect(await texts(5)).toEqual(["last words", "first words"]);
    second.close();
  });

  it("begins a new segment at a start, however many short lives filled the last one", async () => {
    for (let life = 0; life < 300; life += 1) {
      const log = await begin();
      log.record("stdout", "F", `life ${life} ${"x".repeat(100)}`);
      log.close();
    }
    expect(await sizeOfAll()).toBeLessThan(7 * SEGMENT_BYTES);
    expect((await texts(1))[0]).toContain("life 299");
  });

  it("refuses a name that leads elsewhere", async () => {
    for (const name of ["..", "a/b", ""]) {
      await expect(logs.prepare(name)).rejects.toMatchObject({ name: "TerminalError" });
      await expect(logs.remove(name)).rejects.toMatchObject({ name: "TerminalError" });
    }
  });
});
