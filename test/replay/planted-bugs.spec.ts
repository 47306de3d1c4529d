import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type Bisection,
  bisect,
  type Cause,
  type ExportedSlice,
  exportSlice,
  invariantOf,
  openSlice,
  PRESENT_DECIDERS,
  why,
} from "#replay";
import { type BittenHistory, bittenBy, PLANTED_BUGS } from "./planted-bugs.ts";

describe.each(PLANTED_BUGS)("$name", (bug) => {
  let mend = () => {};
  let bitten: BittenHistory;
  let found: Bisection;

  beforeAll(async () => {
    mend = bug.foldedBy?.() ?? mend;
    bitten = bittenBy(bug);
    found = await bisect(bitten.timeline, invariantOf(bug.invariant));
  });

  afterAll(() => mend());

  it("is found at the event at fault", () => {
    const { culprit, entity, events } = bitten;
    const { first } = found;
    const event = { id: culprit.header.id };
    expect(first?.violation).toMatchObject({ invariant: bug.invariant, entity, event });
    expect(culprit.decision?.command).toBe(bug.command);
    expect(first?.good).toEqual({ ...first?.bad, [culprit.log]: culprit.sequence - 1 });
    expect(events.at(-1)).not.toBe(culprit);
  });

  it("is not found before it was planted", async () => {
    const { timeline, culprit } = bitten;
    const before = { ...(await timeline.history.end()), [culprit.log]: culprit.sequence - 1 };
    const until = { kind: "position", position: before } as const;
    expect((await bisect(timeline, invariantOf(bug.invariant), { until })).first).toBeUndefined();
  });

  it("is explained by the command behind it", async () => {
    const { timeline, culprit } = bitten;
    const question = { kind: "event", id: culprit.header.id } as const;
    const { causes } = await why(timeline, question, { kind: "now" }, async () => undefined, 0);
    const line = lineTo(culprit.header.id, causes).map(({ title }) => title);
    expect(line.join(" → ")).toContain(bug.because ?? bug.command);
  });

  it("becomes a test that fails for as long as it is there, and passes once it is mended", async () => {
    const { timeline, events } = bitten;
    const deciders = { ...PRESENT_DECIDERS, ...bug.decidedBy };
    const slice = await exportSlice(timeline, { invariant: bug.invariant, deciders });
    expect(slice).toMatchObject({ fails: true });
    expect(slice.events.length).toBeLessThan(events.length / 4);
    const opened = await opening(slice);
    expect(opened.problems(deciders)).toEqual([expect.stringContaining(bug.invariant)]);
    mend();
    expect(opened.problems()).toEqual([]);
  });
});

/** The causes from the first one down to an event. */
function lineTo(eventId: string, causes: readonly Cause[]): readonly Cause[] {
  for (const cause of causes) {
    if (cause.event?.id === eventId) return [cause];
    const below = lineTo(eventId, cause.children);
    if (below.length > 0) return [cause, ...below];
  }
  return [];
}

/** Reads the slice as its test does: from the file beside it. */
async function opening({ archive, name }: ExportedSlice) {
  const file = join(tmpdir(), `planted-${process.pid}-${name}.ndjson`);
  writeFileSync(file, archive);
  try {
    return await openSlice(file);
  } finally {
    rmSync(file);
  }
}
