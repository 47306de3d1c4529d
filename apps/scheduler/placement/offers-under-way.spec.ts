import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Bid, rank, type Sought } from "#control";
import { SeededIds, SimulatedClock } from "#kernel";
import { OffersUnderWay } from "./offers-under-way.ts";

const resources = { cpuMillis: 62, memoryMib: 256 };
const CAPACITY = { cpuMillis: 40_000, memoryMib: 8_192 };

function bid(hostId: string, freeMib: number, appMachineCount = 0): Bid {
  const free = { cpuMillis: 40_000, memoryMib: freeMib };
  return { kind: "bid", hostId, capacity: CAPACITY, free, machineCount: appMachineCount, appMachineCount };
}

function sought(policy: Sought["policy"], antiAffinity: Sought["antiAffinity"] = "none"): Sought {
  return { resources, policy, antiAffinity };
}

describe("creates that run side by side", () => {
  /** All of them were bid for before the first one was offered to anybody. */
  function placeAll(count: number, wish: Sought, hostIds: readonly string[], seed: number): number[] {
    const clock = new SimulatedClock();
    const ids = new SeededIds(clock, seed);
    const underWay = new OffersUnderWay(clock);
    const placed = new Map(hostIds.map((hostId) => [hostId, 0]));
    for (let machine = 0; machine < count; machine += 1) {
      const seen = hostIds.map((hostId) => underWay.deduct(bid(hostId, 8_192), "app"));
      const { hostId } = rank(seen, wish, () => ids.random())[0]!;
      underWay.begin(hostId, { appName: "app", resources });
      placed.set(hostId, placed.get(hostId)! + 1);
    }
    return [...placed.values()];
  }

  it("are spread evenly, although no bid shows any of them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.integer(), (hosts, seed) => {
        const hostIds = Array.from({ length: hosts }, (_, index) => `h${index}`);
        const counts = placeAll(hosts * 20, sought("spread", "soft"), hostIds, seed);
        for (const count of counts) expect(Math.abs(count - 20)).toBeLessThanOrEqual(4);
      }),
    );
  });

  it("fill one host after the other when they are packed, and overfill none", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const counts = placeAll(70, sought("pack"), ["a", "b", "c", "d"], seed);
        expect(counts.sort((a, b) => b - a)).toEqual([32, 32, 6, 0]);
      }),
    );
  });

  it("count an offer until the bids from before it are out of the way", async () => {
    const clock = new SimulatedClock();
    const underWay = new OffersUnderWay(clock);
    const answered = underWay.begin("a", { appName: "app", resources });
    await clock.pass(1_000);
    const during = underWay.deduct(bid("a", 1_024), "app");
    expect(during).toMatchObject({ free: { memoryMib: 768 }, machineCount: 1, appMachineCount: 1 });
    expect(underWay.deduct(bid("a", 1_024), "other")).toMatchObject({ machineCount: 1, appMachineCount: 0 });
    expect(underWay.deduct(bid("b", 1_024), "app")).toEqual(bid("b", 1_024));
    answered();
    expect(underWay.deduct(bid("a", 1_024), "app")).toMatchObject({ free: { memoryMib: 768 } });
    await clock.pass(50);
    expect(underWay.deduct(bid("a", 1_024), "app")).toEqual(bid("a", 1_024));
  });
});
