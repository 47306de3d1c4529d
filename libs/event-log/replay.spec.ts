import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { HostLog } from "./host-log.ts";
import { TestLeaf } from "./test-leaf.fixture.ts";

let leaf: TestLeaf;
beforeEach(async () => {
  leaf = await TestLeaf.start();
});
afterEach(() => leaf.stop());

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

async function logOf(count: number): Promise<HostLog> {
  const log = await leaf.openLog();
  await Promise.all(upTo(count).map(() => log.append(leaf.event())));
  return log;
}

describe("replay", () => {
  it("hands over each sequence once and in order, from the first to the last that were asked for", async () => {
    const log = await logOf(300);
    const taken: number[] = [];
    await log.reader.replay(20, 250, (decoded, sequence) => {
      expect(decoded).toMatchObject({ kind: "event", event: { sequence } });
      return taken.push(sequence) > 0;
    });
    expect(taken).toEqual(upTo(250, 20));
    await log.reader.replay(5, 4, () => taken.push(-1) > 0);
    expect(taken).not.toContain(-1);
  });

  it("stops where it is told to, and throws what it was thrown", async () => {
    const log = await logOf(50);
    const taken: number[] = [];
    await log.reader.replay(1, 50, (_, sequence) => sequence < 10 && taken.push(sequence) > 0);
    expect(taken).toEqual(upTo(9));
    const broken = log.reader.replay(1, 50, () => {
      throw new Error("full");
    });
    await expect(broken).rejects.toThrow("full");
  });

  it("F16: goes on where it was when its server is killed under it", async () => {
    const log = await logOf(300);
    const taken: number[] = [];
    let killed: Promise<void> | undefined;
    await log.reader.replay(1, 300, (_, sequence) => {
      if (sequence === 1) killed = leaf.server.restart();
      return taken.push(sequence) > 0;
    });
    await killed;
    expect(taken).toEqual(upTo(300));
  });

  it("F18: notices that the last events are missing, though no later one shows it", async () => {
    const log = await logOf(30);
    const last = log.lastSequence + 2;
    const missing: number[] = [];
    await log.reader.replay(25, last, (decoded, sequence) => {
      if (decoded === undefined) missing.push(sequence);
      return true;
    });
    expect(missing).toEqual([31, 32]);
  });
});
