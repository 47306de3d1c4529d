import { describe, expect, it } from "@jest/globals";
import { Timeline } from "#timeline";
import { ArchiveHistory } from "./archive/archive-history.ts";
import { archiveText } from "./archive/write-archive.ts";
import { livedFleet, timelineOf } from "./fleets.fixture.ts";
import { invariantOf } from "./invariant-of.ts";
import { verify } from "./verify.ts";

/** A life of which one event is missing. */
function withHole() {
  const events = livedFleet(4, 80).events();
  return events.toSpliced(
    events.findIndex(({ type }) => type === "StepCompleted"),
    1,
  );
}

async function asFile(isPart: boolean): Promise<Timeline> {
  const history = await ArchiveHistory.ofText(await archiveText({ of: "a test", isPart }, withHole()));
  return new Timeline({ history, onUnreadable: () => undefined });
}

describe("verify", () => {
  it("asks all of the library but what is for a request, which it takes by name", async () => {
    const timeline = timelineOf(livedFleet(4, 80).events());
    const named = (await verify(timeline)).invariants.map(({ invariant }) => invariant);
    expect(named).toContain("log-without-gaps");
    expect(named).not.toContain("decisions-reproducible");
    const asked = await verify(timeline, { invariants: [invariantOf("decisions-reproducible")] });
    expect(asked).toMatchObject({ violations: [], invariants: [{ invariant: "decisions-reproducible" }] });
  });

  it("finds a gap in a file that is to hold everything, and asks for none in a part of history", async () => {
    const gaps = async (isPart: boolean) => {
      const { violations, skipped, isPart: told } = await verify(await asFile(isPart));
      return [violations.filter(({ invariant }) => invariant === "log-without-gaps").length, skipped, told];
    };
    expect(await gaps(false)).toEqual([1, [], false]);
    expect(await gaps(true)).toEqual([0, ["log-without-gaps"], true]);
  });
});
