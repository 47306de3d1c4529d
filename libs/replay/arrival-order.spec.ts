import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { fleetHash, type Moment } from "#fleet";
import { ListedHistory, matcher, type Stretch, Timeline } from "#timeline";
import { bisect } from "./bisect.ts";
import { blame } from "./blame.ts";
import { diff } from "./diff.ts";
import { entitiesOf, livedFleet, momentOf, timelineOf } from "./fleets.fixture.ts";
import { invariantOf } from "./invariant-of.ts";
import { verify } from "./verify.ts";
import { why } from "./why/why.ts";

/** A history whose events arrive as a hub may have got them: each log in its order, and logs in any. */
class ArrivedHistory extends ListedHistory {
  readonly #arrived: readonly RecordedEvent[];

  constructor(arrived: readonly RecordedEvent[]) {
    super(arrived);
    this.#arrived = arrived;
  }

  override async *arrivals(stretch: Stretch = {}): AsyncGenerator<readonly RecordedEvent[]> {
    const wanted = matcher(stretch);
    for (const event of this.#arrived) if (wanted(event)) yield [event];
  }
}

/** Deals the events anew: whose turn it is, `turns` say; each log keeps its own order. */
function dealt(events: readonly RecordedEvent[], turns: readonly number[]): RecordedEvent[] {
  const logs = [...Map.groupBy(events, ({ log }) => log).values()].map((log) => [...log]);
  const arrived: RecordedEvent[] = [];
  for (let turn = 0; arrived.length < events.length; turn += 1) {
    const left = logs.filter((log) => log.length > 0);
    arrived.push(left[turns[turn % turns.length]! % left.length]!.shift()!);
  }
  return arrived;
}

/** As when one host was cut off all the time: what it did arrives when all else is there. */
function lateHost(events: readonly RecordedEvent[], hostId: string): RecordedEvent[] {
  const isLate = ({ subject }: RecordedEvent) => subject.startsWith(`evt.host.${hostId}.`);
  return [...events.filter((event) => !isLate(event)), ...events.filter(isLate)];
}

/** Every answer about a stretch of history. */
async function answers(timeline: Timeline, from: Moment, to: Moment) {
  const world = await timeline.at(to);
  const entities = entitiesOf(world).sort((a, b) => (a.id < b.id ? -1 : 1));
  const asked = entities.filter(({ kind }) => kind === "machine" || kind === "volume").slice(0, 3);
  return {
    at: { hash: fleetHash(world.view), position: { ...world.position }, nowMs: world.nowMs },
    diff: await diff(timeline, from, to),
    blame: await Promise.all(entities.map((entity) => blame(timeline, entity, to))),
    why: await Promise.all(
      asked.map(({ id }) => why(timeline, { id }, to, async () => undefined, world.nowMs)),
    ),
    verify: await verify(timeline, { until: to }),
    bisect: await bisect(timeline, invariantOf('machine.state != "started"'), { until: to }),
  };
}

describe("positions are vectors", () => {
  it("no answer depends on the order in which hosts' events arrived", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.array(fc.nat(3), { minLength: 3, maxLength: 40 }),
        fc.nat(99),
        async (seed, turns, percent) => {
          const events = livedFleet(seed, 60).events();
          const from = momentOf(events[Math.floor((events.length * percent) / 200)]!);
          const to = momentOf(events[Math.floor((events.length * (percent + 100)) / 200)]!);
          const expected = await answers(timelineOf(events), from, to);
          for (const arrived of [dealt(events, turns), lateHost(events, "h2")]) {
            const history = new ArrivedHistory(arrived);
            const timeline = new Timeline({ history, onUnreadable: () => undefined });
            expect(await answers(timeline, from, to)).toEqual(expected);
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  it("at a vector that leaves a host out, its events count neither before nor after they arrive", async () => {
    const events = livedFleet(4, 120).events();
    const without = events.filter(({ subject }) => !subject.startsWith("evt.host.h2."));
    const { position } = await timelineOf(without).at({ kind: "now" });
    const there: Moment = { kind: "position", position };
    const beginning: Moment = { kind: "position", position: {} };
    const whole = new Timeline({
      history: new ArrivedHistory(lateHost(events, "h2")),
      onUnreadable: () => undefined,
    });
    expect(await answers(whole, beginning, there)).toEqual(
      await answers(timelineOf(without), beginning, there),
    );
  });
});
