import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Checkpoint, Checkpoints } from "./checkpoints.ts";

let directory: string;
let checkpoints: Checkpoints;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "drover-checkpoints-"));
  checkpoints = new Checkpoints(directory);
});
afterEach(() => rm(directory, { recursive: true }));

function checkpoint(sequence: number, foldVersion = 1): Checkpoint {
  const state = { machines: [{ id: "m1", env: { TEXT: 'quo"te, ü' } }], sequence };
  return { log: "L", sequence, eventId: `e${sequence}`, foldVersion, state };
}

async function files(): Promise<string[]> {
  return (await readdir(directory)).sort().map((name) => join(directory, name));
}

describe("Checkpoints", () => {
  it("gives back the newest, and keeps two", async () => {
    expect(await checkpoints.load(1)).toBeUndefined();
    for (const sequence of [10, 20, 30]) await checkpoints.save(checkpoint(sequence));
    expect(await checkpoints.load(1)).toEqual(checkpoint(30));
    expect(await files()).toHaveLength(2);
    expect(await new Checkpoints(directory).load(1)).toEqual(checkpoint(30));
  });

  it("takes a state of any size, in slices", async () => {
    for (const length of [32_000, 32_690, 32_700, 32_710, 32_720, 32_768, 200_000]) {
      const state = { text: "ü".repeat(length), machines: Array.from({ length: 50 }, (_, id) => ({ id })) };
      await checkpoints.save({ ...checkpoint(length), state });
      expect(await checkpoints.load(1)).toEqual({ ...checkpoint(length), state });
    }
  });

  it("goes by the order of writing, not by sequence: a new log begins at 1", async () => {
    await checkpoints.save(checkpoint(1_000));
    await checkpoints.save({ ...checkpoint(2), log: "M" });
    expect(await checkpoints.load(1)).toMatchObject({ log: "M", sequence: 2 });
  });

  it("passes over another fold version", async () => {
    await checkpoints.save(checkpoint(10, 1));
    await checkpoints.save(checkpoint(20, 2));
    expect(await checkpoints.load(1)).toMatchObject({ sequence: 10 });
    expect(await checkpoints.load(3)).toBeUndefined();
  });

  it("F18: passes over one in which any one bit flipped", async () => {
    await checkpoints.save(checkpoint(10));
    await checkpoints.save(checkpoint(20));
    const newest = (await files())[1]!;
    const whole = await readFile(newest);
    for (let bit = 0; bit < whole.length * 8; bit += 7) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(newest, flipped);
      expect(await checkpoints.load(1)).toMatchObject({ sequence: 10 });
    }
  });

  it("F17: passes over one that power failed in the middle of", async () => {
    await checkpoints.save(checkpoint(10));
    await checkpoints.save(checkpoint(20));
    const newest = (await files())[1]!;
    for (let length = (await readFile(newest)).length - 1; length >= 0; length -= 9) {
      await truncate(newest, length);
      expect(await checkpoints.load(1)).toMatchObject({ sequence: 10 });
    }
  });

  it("leaves the earlier ones when it cannot write", async () => {
    await checkpoints.save(checkpoint(10));
    const impossible = { ...checkpoint(20), state: { big: 1n } };
    await expect(checkpoints.save(impossible)).rejects.toThrow(TypeError);
    expect(await checkpoints.load(1)).toMatchObject({ sequence: 10 });
  });
});
