import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { canonicalHash } from "#kernel";
import type { ControlCommand } from "./command.ts";
import { ControlStory } from "./control-story.ts";
import { decideControl } from "./decide.ts";
import { evolveControl } from "./evolve.ts";
import { controlFromJson, controlToJson, emptyControl } from "./state.ts";
import { controlSubjectOf } from "./subject.ts";

const DAY_MS = 86_400_000;
const name = fc.constantFrom("a", "b");
const machineId = fc.constantFrom("m1", "m2");
const epoch = fc.integer({ min: 1, max: 3 });
const atMs = fc.integer({ min: 0, max: 4 * DAY_MS });
const hash = fc.constantFrom("00".repeat(32), "11".repeat(32));
const ownerGone = fc.option(
  fc.record({ kind: fc.constantFrom("refused" as const, "absent" as const), hostId: name, epoch }),
  { nil: undefined },
);
const is = <T extends string>(type: T) => fc.constant(type);

const command: fc.Arbitrary<ControlCommand> = fc.oneof(
  fc.record({ type: is("CreateApp"), appName: name, appId: name, orgSlug: name, network: name, atMs }),
  fc.record({ type: is("DeleteApp"), appName: name, machineCount: fc.nat(1) }),
  fc
    .record({
      type: is("ClaimMachineName"),
      appName: name,
      name,
      machineId,
      atMs,
      goneHolder: fc.option(fc.record({ machineId, isCertain: fc.boolean() }), { nil: undefined }),
    })
    .map(({ goneHolder, ...claim }) => (goneHolder === undefined ? claim : { ...claim, goneHolder })),
  fc.record({
    type: is("ClaimIdempotencyKey"),
    keyHash: name,
    requestHash: name,
    machineId,
    commandId: name,
    atMs,
  }),
  fc
    .record({
      type: is("DecidePlacement"),
      machineId,
      appName: name,
      hostId: name,
      epoch,
      region: name,
      candidates: fc.constant([]),
      refusals: fc.constant([]),
      ownerGone,
    })
    .map(({ ownerGone: gone, ...rest }) => (gone === undefined ? rest : { ...rest, ownerGone: gone })),
  fc
    .record({
      type: is("RefusePlacement"),
      machineId,
      appName: name,
      epoch,
      error: fc.constant({ code: "insufficient_capacity", message: "none" }),
      refusals: fc.constant([]),
      ownerGone,
    })
    .map(({ ownerGone: gone, ...rest }) => (gone === undefined ? rest : { ...rest, ownerGone: gone })),
  fc.record({
    type: is("RegisterHost"),
    hostId: name,
    region: name,
    logId: name,
    stream: name,
    domain: name,
    atMs,
  }),
  fc.record({ type: is("CreateToken"), tokenId: name, name, secretHash: hash, atMs }),
  fc.record({ type: is("RevokeToken"), tokenId: name }),
  fc
    .record({
      type: is("ClaimHostname"),
      hostname: name,
      appName: name,
      appId: name,
      atMs,
      goneAppId: fc.option(name, { nil: undefined }),
    })
    .map(({ goneAppId: gone, ...claim }) => (gone === undefined ? claim : { ...claim, goneAppId: gone })),
  fc.record({ type: is("ReleaseHostname"), hostname: name, appName: name, appId: name }),
);
/** Times of a plot's commands are pauses: clocks that go back by a day are not this test's subject. */
const commands = fc.array(command, { maxLength: 60 }).map((plot) => {
  let nowMs = 0;
  return plot.map((each) => {
    if (!("atMs" in each)) return each;
    nowMs += each.atMs % DAY_MS;
    return { ...each, atMs: nowMs };
  });
});

function play(plot: ControlCommand[]): ControlStory {
  const story = new ControlStory();
  for (const each of plot) story.tell(each);
  return story;
}

describe("CONTROL, whatever it is told in whatever order", () => {
  it("I3: decides the same from one aggregate's subject as from everything", () => {
    fc.assert(
      fc.property(
        commands.filter((plot) => plot.length > 0),
        (plot) => {
          const last = plot.at(-1)!;
          const { state, events } = play(plot.slice(0, -1));
          const alone = emptyControl();
          for (const { subject, event } of events) {
            if (subject === controlSubjectOf(last)) evolveControl(alone, event);
          }
          // An expired key may be forgotten by one and not by the other, which decides the same.
          expect(decideControl(last, alone)).toEqual(decideControl(last, state));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("I6: has at most one owner of a machine per epoch, in epochs that grow by one", () => {
    fc.assert(
      fc.property(commands, (plot) => {
        const last = new Map<string, number>();
        for (const { event } of play(plot).events) {
          if (event.type !== "PlacementDecided" && event.type !== "PlacementRefused") continue;
          expect(event.data.epoch).toBe((last.get(event.data.machineId) ?? 0) + 1);
          last.set(event.data.machineId, event.data.epoch);
        }
      }),
    );
  });

  it("changes nothing when a command that was just accepted comes again", () => {
    fc.assert(
      fc.property(commands, command, (plot, last) => {
        const story = play(plot);
        fc.pre(story.tell(last).kind === "accepted");
        expect(story.tell(last)).toEqual({ kind: "unchanged" });
      }),
      { numRuns: 500 },
    );
  });

  it("I4: folds from a checkpoint at any place to the same state", () => {
    fc.assert(
      fc.property(commands, fc.nat(60), (plot, cut) => {
        const { events, state } = play(plot);
        const before = emptyControl();
        for (const { event } of events.slice(0, cut)) evolveControl(before, event);
        const restored = controlFromJson(JSON.parse(JSON.stringify(controlToJson(before))));
        for (const { event } of events.slice(cut)) evolveControl(restored, event);
        expect(canonicalHash(controlToJson(restored))).toBe(canonicalHash(controlToJson(state)));
      }),
      { numRuns: 300 },
    );
  });
});
