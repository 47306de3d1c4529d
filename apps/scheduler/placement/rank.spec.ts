import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type BidAnswer, rank } from "./rank.ts";

type Bid = Extract<BidAnswer, { kind: "bid" }>;
const wanted = { cpuMillis: 62, memoryMib: 256 };

function bid(hostId: string, freeMib: number, appMachineCount = 0): Bid {
  const capacity = { cpuMillis: 4000, memoryMib: 8192 };
  return {
    kind: "bid",
    hostId,
    capacity,
    free: { cpuMillis: 4000, memoryMib: freeMib },
    machineCount: 0,
    appMachineCount,
  };
}

describe("rank", () => {
  it("prefers the emptier host", () => {
    const order = rank([bid("full", 1024), bid("empty", 8192)], wanted, () => 0);
    expect(order.map((candidate) => candidate.hostId)).toEqual(["empty", "full"]);
  });

  it("prefers the host without machines of the same app", () => {
    const order = rank([bid("has-two", 8192, 2), bid("has-none", 7500)], wanted, () => 0);
    expect(order[0]?.hostId).toBe("has-none");
  });

  it("spreads near-ties by the random number, so that concurrent creates do not stampede one host", () => {
    const bids = [bid("a", 8192), bid("b", 8192), bid("c", 8192)];
    const firsts = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (numbers) => {
          const rest = [...numbers];
          firsts.add(rank(bids, wanted, () => rest.shift() ?? 0)[0]!.hostId);
        },
      ),
    );
    expect([...firsts].sort()).toEqual(["a", "b", "c"]);
  });

  it("ranks nobody when nobody bids", () => {
    expect(rank([], wanted, () => 0)).toEqual([]);
  });
});
