import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SeededIds, SimulatedClock } from "#kernel";
import { OffersUnderWay } from "./offers-under-way.ts";
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
