import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { mergeByClock } from "./merge.ts";

async function* history(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent> {
  yield* events;
}

function event(log: string, sequence: number, clock: string): RecordedEvent {
  return { log, sequence, header: { id: `${clock}${log}${sequence}`, clock } } as RecordedEvent;
}

async function merged(histories: readonly (readonly RecordedEvent[])[]): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  for await (const each of mergeByClock(histories.map(history))) all.push(each);
  return all;
}

const clocks = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 15 });

describe("mergeByClock", () => {
  it("orders by clock across logs", async () => {
    const all = await merged([
      [event("a", 1, "01"), event("a", 2, "04")],
      [event("b", 1, "02"), event("b", 2, "03")],
    ]);
    expect(all.map(({ log, sequence }) => log + sequence)).toEqual(["a1", "b1", "b2", "a2"]);
  });

  it("F20: keeps each log's own order, also where its clock went back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(clocks, { maxLength: 4 }), async (logs) => {
        const histories = logs.map((times, log) =>
          times.map((time, index) => event(`log${log}`, index + 1, String(time).padStart(2, "0"))),
        );
        const all = await merged(histories);
        expect(all).toHaveLength(histories.flat().length);
        for (const own of histories) {
          expect(all.filter(({ log }) => log === own[0]?.log)).toEqual(own);
        }
      }),
    );
  });
});
