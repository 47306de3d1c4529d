import { describe, expect, it } from "@jest/globals";
import type { HeldEvent } from "#event-log";
import { type Holdings, verdictOn } from "./verdict.ts";

/** A hub that holds these events, by their ids. */
function holding(...ids: string[]): Holdings {
  const events = ids.map(
    (id, index): HeldEvent => ({
      subject: "evt.host.h.host",
      headers: { id },
      body: "",
      sequence: index + 1,
    }),
  );
  return {
    last: async () => events.at(-1),
    from: async (_log, sequence, limit) => events.slice(sequence - 1, sequence - 1 + limit),
    idOf: (event) => event?.headers.id ?? "",
  };
}

/** What a host hears whose log has these events. */
function heard(own: readonly string[], hub: Holdings) {
  const end = { hostId: "h", logId: "L", lastSequence: own.length, lastEventId: own.at(-1) ?? "" };
  return verdictOn(end, hub);
}

describe("verdictOn a host's log", () => {
  it.each([
    ["a new log", [], [], "ok", ""],
    ["a log that the hub does not know yet", ["a", "b"], [], "ok", ""],
    ["the same log", ["a", "b"], ["a", "b"], "ok", "b"],
    ["a log whose last events are on their way", ["a", "b", "c"], ["a"], "ok", "a"],
    ["a log that lost its end", ["a"], ["a", "b", "c"], "behind", "a"],
    ["a log that lost everything", [], ["a"], "behind", ""],
    ["another log of the same length", ["a", "x"], ["a", "b"], "diverged", "b"],
    ["another, shorter log", ["x"], ["a", "b"], "diverged", "a"],
  ])("%s", async (_, own, hub, verdict, hubEventId) => {
    expect(await heard(own, holding(...hub))).toEqual({ verdict, hubSequence: hub.length, hubEventId });
  });

  it("leaves it to the host to compare what only the host still has", async () => {
    const { verdict, hubSequence, hubEventId } = await heard(["x", "y"], holding("a"));
    expect({ verdict, hubSequence, hubEventId }).toEqual({ verdict: "ok", hubSequence: 1, hubEventId: "a" });
  });
});
