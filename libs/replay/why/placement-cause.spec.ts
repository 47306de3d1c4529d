import { describe, expect, it } from "@jest/globals";
import { type PlacementEvent, placementCause } from "./placement-cause.ts";

/** A machine's placement on a host, from bids in the order in which they were ranked. */
function titleOf(
  hostId: string,
  scores: Readonly<Record<string, number>>,
  policy: "spread" | "pack",
): string {
  const candidates = Object.entries(scores).map(([host, score]) => ({ hostId: host, score, random: 0.5 }));
  const wish = { regions: ["any"], policy, antiAffinity: "none", features: [] };
  const event = {
    ...{ type: "PlacementDecided", log: "control", sequence: 1, subject: "evt.control.machine.m" },
    header: {
      id: "e",
      version: 1,
      clock: "000000000001-0000",
      causationId: "c",
      correlationId: "c",
      actor: "a",
    },
    data: { machineId: "m", appName: "app", hostId, epoch: 1, candidates, refusals: [], wish },
  } as unknown as PlacementEvent;
  return placementCause(event, []).title.replace(/^placed on .*?: /, "");
}

describe("what a placement says of its bids", () => {
  it.each([
    [
      "chance, where it spreads over hosts that are as good",
      "a",
      { a: 0.93, b: 0.96, c: 0.4 },
      "spread",
      "by chance among 2 of 3 bids that are as good as the best",
    ],
    ["the best, where no other is as good", "a", { a: 0.9, b: 0.5 }, "spread", "the best of 2 bids"],
    [
      "the best, where it packs: nearly as good is not",
      "b",
      { b: 0.96, a: 0.93 },
      "pack",
      "the best of 2 bids",
    ],
    [
      "those before it, where they took no offer",
      "c",
      { a: 0.93, b: 0.96, c: 0.4 },
      "spread",
      "number 3 of 3 bids: those before it took no offer",
    ],
    ["the only one", "a", { a: 0.1 }, "spread", "the only bid"],
  ] as const)("%s", (_, hostId, scores, policy, title) => {
    expect(titleOf(hostId, scores, policy)).toBe(title);
  });
});
