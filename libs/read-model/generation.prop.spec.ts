import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { type Postgres, SimulatedFleet, startPostgres } from "#testing";
import { allRows, rowHash, Writer, withPglite } from "./lab.fixture.ts";
import { PostgresGenerations } from "./postgres-generations.ts";

let postgres: Postgres;
let generations: PostgresGenerations;
beforeAll(async () => {
  postgres = await startPostgres();
  generations = new PostgresGenerations(postgres.url, "prop");
}, 60_000);
afterAll(async () => {
  await generations.close();
  await postgres.stop();
});

/** A life of two hosts: creates, starts, stops, destroys, logs that go on in another. */
function history(seed: number, steps: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  fleet.join("host-1");
  fleet.join("host-2");
  for (let step = 0; step < steps; step += 1) fleet.live();
  return fleet;
}

/** The logs in any order among each other, each in its own. */
function shuffled(fleet: SimulatedFleet, picks: readonly number[]): RecordedEvent[] {
  const queues = [...fleet.logs.values()].map((log) => [...log]);
  const order: RecordedEvent[] = [];
  for (let turn = 0; queues.some((queue) => queue.length > 0); turn += 1) {
    const open = queues.filter((queue) => queue.length > 0);
    order.push(open[(picks[turn % picks.length] ?? 0) % open.length]!.shift()!);
  }
  return order;
}

const write = async (events: readonly RecordedEvent[], of = generations): Promise<Writer> => {
  const writer = await Writer.create(of);
  for (const event of events) writer.offer(event);
  await writer.flush();
  return writer;
};

describe("the rows of the read model", () => {
  it("are the same, in whatever order logs come, however they are bundled, wherever it crashes", async () => {
    const seeds = fc.integer({ min: 1, max: 1_000_000 });
    const picks = fc.array(fc.nat(7), { minLength: 1, maxLength: 40 });
    const moves = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom("flush", "crash", "resume")),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(seeds, picks, moves, async (seed, picked, moved) => {
        const fleet = history(seed, 60);
        const events = shuffled(fleet, picked);
        const writer = await Writer.create(generations);
        for (let turn = 0, at = 0; at < events.length; turn += 1) {
          const [size, move] = moved[turn % moved.length]!;
          for (const event of events.slice(at, at + size)) writer.offer(event);
          at += size;
          if (move === "flush") await writer.flush();
          else if (move === "crash") await writer.crash();
          else await writer.resume();
          // What was lost with it is read again, along with what was not.
          if (move !== "flush") for (const event of events.slice(0, at)) writer.offer(event);
        }
        await writer.flush();
        const whole = await write(fleet.events());
        expect(await allRows(writer.db)).toEqual(await allRows(whole.db));
        await Promise.all([writer.remove(), whole.remove()]);
      }),
      { numRuns: process.env.DROVER_FULL === "1" ? 200 : 5 },
    );
  }, 120_000);

  it("are the same on PGlite", async () => {
    const fleet = history(7, 300);
    const whole = await write(fleet.events());
    await withPglite(async (pglite) => {
      const writer = await Writer.create(pglite);
      for (const event of fleet.events()) writer.offer(event);
      await writer.flush();
      await writer.resume();
      expect(await rowHash(writer.db)).toBe(await rowHash(whole.db));
      await writer.generation.close();
    });
    await whole.remove();
  }, 120_000);
});
