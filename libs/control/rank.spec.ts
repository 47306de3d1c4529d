import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SeededIds, SimulatedClock } from "#kernel";
import { type Bid, rank, type Sought } from "./rank.ts";

const resources = { cpuMillis: 62, memoryMib: 256 };
const CAPACITY = { cpuMillis: 40_000, memoryMib: 8_192 };

function bid(hostId: string, freeMib: number, appMachineCount = 0): Bid {
  const free = { cpuMillis: 40_000, memoryMib: freeMib };
  return { kind: "bid", hostId, capacity: CAPACITY, free, machineCount: appMachineCount, appMachineCount };
}

function sought(policy: Sought["policy"], antiAffinity: Sought["antiAffinity"] = "none"): Sought {
  return { resources, policy, antiAffinity };
}

const zero = () => 0;
const idsOf = (order: readonly { readonly hostId: string }[]) => order.map(({ hostId }) => hostId);

const bids = fc.uniqueArray(
  fc.record({
    hostId: fc.stringMatching(/^[a-z]{1,3}$/),
    freeMib: fc.integer({ min: 256, max: 8_192 }),
    appMachineCount: fc.integer({ min: 0, max: 200 }),
  }),
  { selector: ({ hostId }) => hostId, maxLength: 40 },
);
const anySought = fc.record({
  resources: fc.constant(resources),
  policy: fc.constantFrom("spread" as const, "pack" as const),
  antiAffinity: fc.constantFrom("none" as const, "soft" as const, "hard" as const),
});
const toBid = ({
  hostId,
  freeMib,
  appMachineCount,
}: {
  hostId: string;
  freeMib: number;
  appMachineCount: number;
}) => bid(hostId, freeMib, appMachineCount);

describe("rank", () => {
  it("spreads: the emptier host comes first", () => {
    const order = rank([bid("full", 1_024), bid("empty", 8_192)], sought("spread"), zero);
    expect(idsOf(order)).toEqual(["empty", "full"]);
  });

  it("packs: the fullest host that has room comes first, by however little", () => {
    const order = rank([bid("empty", 8_192), bid("full", 1_024), bid("fuller", 1_000)], sought("pack"), zero);
    expect(idsOf(order)).toEqual(["fuller", "full", "empty"]);
  });

  it("keeps machines of one app apart where it is asked to, however many there are", () => {
    for (const count of [1, 20, 150]) {
      const order = rank(
        [bid("more", 8_192, count * 2), bid("less", 4_096, 0)],
        sought("spread", "soft"),
        zero,
      );
      expect(idsOf(order)).toEqual(["less", "more"]);
    }
    expect(idsOf(rank([bid("a", 8_192, 9), bid("b", 4_096)], sought("spread"), zero))).toEqual(["a", "b"]);
  });

  it("puts last whoever has the app's machine when that may not be, and who will be full by then", () => {
    const order = rank([bid("has-one", 8_192, 1), bid("none", 512)], sought("spread", "hard"), zero);
    expect(idsOf(order)).toEqual(["none", "has-one"]);
    expect(idsOf(rank([bid("over", -4_096), bid("free", 8_192)], sought("pack"), zero))).toEqual([
      "free",
      "over",
    ]);
  });

  it("ranks nobody when nobody bids", () => {
    expect(rank([], sought("spread"), zero)).toEqual([]);
  });

  it("names every bidder once, with its bid, whatever the wishes", () => {
    fc.assert(
      fc.property(bids, anySought, fc.integer(), (given, wish, seed) => {
        const ids = new SeededIds(new SimulatedClock(), seed);
        const order = rank(given.map(toBid), wish, () => ids.random());
        expect(idsOf(order).sort()).toEqual(idsOf(given).sort());
        for (const { score, random } of order) {
          expect(score).toBeLessThanOrEqual(1);
          expect(score).toBeGreaterThanOrEqual(-1);
          expect(random).toBeLessThan(1);
        }
      }),
    );
  });

  it("never prefers one that is clearly worse, and draws among those that are as good", () => {
    fc.assert(
      fc.property(bids, anySought, fc.integer(), (given, wish, seed) => {
        const ids = new SeededIds(new SimulatedClock(), seed);
        const order = rank(given.map(toBid), wish, () => ids.random());
        const best = Math.max(...order.map(({ score }) => score));
        const enough = best * (wish.policy === "spread" ? 0.9 : 1);
        const top = order.filter(({ score }) => score >= enough);
        expect(order.slice(0, top.length).map(({ random }) => random)).toEqual(
          top.map(({ random }) => random).sort((a, b) => a - b),
        );
        const rest = order.slice(top.length).map(({ score }) => score);
        expect(rest).toEqual([...rest].sort((a, b) => b - a));
      }),
    );
  });
});
