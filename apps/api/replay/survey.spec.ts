import { afterEach, describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { type Clock, SystemClock, wallMsOf } from "#kernel";
import { SimulatedFleet } from "#testing";
import { ListedHistory, Timeline } from "#timeline";
import { Survey } from "./survey.ts";

const stopping: AbortController[] = [];
afterEach(() => {
  for (const each of stopping.splice(0)) each.abort();
});

/** Sleeps a hundredth. */
class QuickClock extends SystemClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(durationMs / 100, signal);
  }
}

/** A history to which events are added while it is looked at. */
class GrowingHistory extends ListedHistory {
  readonly events: RecordedEvent[];
  /** How often somebody began with it. */
  begun = 0;

  constructor(events: readonly RecordedEvent[]) {
    super(events);
    this.events = [...events];
  }

  override beginning() {
    this.begun += 1;
    return super.beginning();
  }

  override ordered(stretch: Parameters<ListedHistory["ordered"]>[0]) {
    return new ListedHistory(this.events).ordered(stretch);
  }
}

function surveyOf(history: ListedHistory, clock: Clock = new QuickClock()): Survey {
  const onUnreadable = (place: string, why: string) => {
    throw new Error(`${place}: ${why}`);
  };
  const survey = new Survey(new Timeline({ history, onUnreadable }), clock, (line) => {
    throw new Error(line);
  });
  const stop = new AbortController();
  stopping.push(stop);
  void survey.run(stop.signal);
  return survey;
}

/** A host with a machine; and what it told next, after an event that was lost. */
function lived() {
  const fleet = new SimulatedFleet(3);
  fleet.join("host-a");
  const machineId = fleet.create("host-a");
  fleet.settle("host-a", machineId);
  fleet.clock.jump(60_000);
  const events = fleet.events();
  const measured = events.findLast(({ type }) => type === "HostCapacityMeasured")!;
  const last = events.findLast(({ log }) => log === measured.log)!;
  const afterGap = {
    ...measured,
    header: { ...last.header, id: fleet.ids.ulid(), clock: last.header.clock.replace(/....$/, "ffff") },
    sequence: last.sequence + 2,
  } as RecordedEvent;
  return { events, afterGap, fleet };
}

async function until(isIt: () => boolean): Promise<void> {
  while (!isIt()) await new Promise((done) => setTimeout(done, 5));
}

describe("looking for violations", () => {
  it("finds none in what the deciders made, and comes to the end", async () => {
    const { events } = lived();
    const survey = surveyOf(new ListedHistory(events));
    await until(() => survey.findings().isDone);
    expect(survey.findings()).toMatchObject({ violations: [], isTruncated: false });
    expect(survey.findings().checkedToMs).toBe(wallMsOf(events.at(-1)!.header.clock));
  });

  it("finds what an event broke, once that is told of", async () => {
    const { events, afterGap } = lived();
    const history = new GrowingHistory(events);
    const survey = surveyOf(history);
    await until(() => survey.findings().isDone);
    history.events.push(afterGap);
    survey.happened();
    await until(() => survey.findings().violations.length > 0);
    expect(survey.findings().violations[0]).toMatchObject({
      invariant: "log-without-gaps",
      entity: { kind: "host", id: "host-a" },
      event: { id: afterGap.header.id },
    });
  });

  it("begins again when something comes late, and keeps what it knew until it is as far", async () => {
    const { events, afterGap, fleet } = lived();
    const before = events.filter(({ log }) => log !== fleet.controlLog);
    const history = new GrowingHistory([...before, afterGap]);
    const survey = surveyOf(history);
    await until(() => survey.findings().isDone);
    const { checkedToMs, violations } = survey.findings();
    expect(violations.length).toBeGreaterThan(0);
    // CONTROL's events, all of them earlier than the last of the host's.
    history.events.push(...events.filter(({ log }) => log === fleet.controlLog));
    survey.happened();
    let least = Number.POSITIVE_INFINITY;
    await until(() => {
      least = Math.min(least, survey.findings().checkedToMs);
      return history.begun === 2 && survey.findings().isDone;
    });
    expect(least).toBe(checkedToMs);
    expect(survey.findings().violations.map(({ event }) => event.id)).toContain(afterGap.header.id);
  });
});
