import { describe, expect, it } from "@jest/globals";
import { bisect, invariantOf } from "#replay";
import { bittenBy, PLANTED_BUGS } from "./planted-bugs.ts";

describe.each(PLANTED_BUGS)("$name", (bug) => {
  it("is found at the event at fault", async () => {
    const { timeline, culprit, entity, events } = bittenBy(bug);
    const { first } = await bisect(timeline, invariantOf(bug.invariant));
    expect(first?.violation).toMatchObject({
      invariant: bug.invariant,
      entity,
      event: { id: culprit.header.id },
    });
    expect(culprit.decision?.command).toBe(bug.command);
    expect(first?.good).toEqual({ ...first?.bad, [culprit.log]: culprit.sequence - 1 });
    expect(events.at(-1)).not.toBe(culprit);
  });

  it("is not found before it was planted", async () => {
    const { timeline, culprit } = bittenBy(bug);
    const until = {
      kind: "position",
      position: { ...(await timeline.history.end()), [culprit.log]: culprit.sequence - 1 },
    } as const;
    const { first } = await bisect(timeline, invariantOf(bug.invariant), { until });
    expect(first).toBeUndefined();
  });
});
