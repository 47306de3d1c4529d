import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { VOCABULARY } from "#contracts";
import { FLEET_FOLD_VERSION } from "#fleet";
import { redecide } from "#replay";
import { World } from "../world.ts";
import {
  checkpointsOf,
  eventsOf,
  firstDifference,
  type GoldenHistory,
  packGolden,
  unpackGolden,
} from "./golden-history.ts";

const DIRECTORY = new URL("./", import.meta.url);
const RELEASES = readdirSync(DIRECTORY, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const histories = RELEASES.map(({ name }) =>
  unpackGolden(readFileSync(new URL(`${name}/history.ndjson.gz`, DIRECTORY))),
);
const named = histories.map((history): [string, GoldenHistory] => [history.release, history]);
const [first] = histories;

describe("I4: the history that a release wrote", () => {
  it.each(named)(
    "%s folds to the same hashes at every checkpoint today",
    (_, { checkpoints, messages, foldVersion }) => {
      // Of a fold that was changed on purpose the version tells: its hashes are others, and checkpoints are not read.
      expect(foldVersion).toBeLessThanOrEqual(FLEET_FOLD_VERSION);
      if (foldVersion === FLEET_FOLD_VERSION) {
        expect(firstDifference(checkpoints, checkpointsOf(messages))).toBeUndefined();
      } else {
        const facts = checkpointsOf(messages).map((checkpoint) => checkpoint.facts);
        expect(facts).toEqual(checkpoints.map((checkpoint) => checkpoint.facts));
      }
    },
  );

  it.each(named)("%s is decided the same way today, event by event", (_, { messages }) => {
    const world = new World();
    const otherwise: string[] = [];
    let decided = 0;
    for (const [index, event] of eventsOf(messages).entries()) {
      const again = redecide(event, world);
      if (again.kind !== "same")
        otherwise.push(`${index + 1} ${event.type}: ${JSON.stringify(again)}`.slice(0, 300));
      else decided += 1;
      world.apply(event);
    }
    expect(otherwise).toEqual([]);
    expect(decided).toBe(messages.length);
  });

  it("tells of all that there is to tell of at present", () => {
    const told = new Set(
      histories.flatMap(({ messages }) => messages.map(({ body }) => JSON.parse(body).type)),
    );
    // The first when machines move between hosts; the second when an operation on a volume has more than one step.
    expect(VOCABULARY.types().filter((type) => !told.has(type))).toEqual([
      "MachineReleased",
      "VolumeStepCompleted",
    ]);
  });

  it("is the same when it was packed again", () => {
    expect(unpackGolden(packGolden(first!))).toEqual(first);
  });
});

describe("a fold that goes wrong", () => {
  const { messages, checkpoints } = first!;

  it.each([
    [
      "a fact",
      (world: World, machineId: string) => changeMachine(world, machineId, { privateIp: "fdaa::1" }),
    ],
    [
      "a member that no fact tells of",
      (world: World, id: string) => changeMachine(world, id, { everStarted: false }),
    ],
  ] as const)("is noticed at the first checkpoint after it: %s", (what, plant) => {
    const at = eventsOf(messages).findIndex(({ type }, index) => type === "MachineStarted" && index > 550);
    let applied = 0;
    const wrong = checkpointsOf(messages, (world, { data }) => {
      applied += 1;
      if (applied === at + 1 && "machineId" in data) plant(world, String(data.machineId));
    });
    const next = checkpoints.find(({ events }) => events > at)!;
    const parts = what === "a fact" ? "fleet, hosts, facts" : "fleet, hosts";
    expect(firstDifference(checkpoints, wrong)).toBe(`after event ${next.events}: ${parts}`);
  });

  it("is noticed where one event is left out", () => {
    const at = eventsOf(messages).findIndex(({ type }, index) => type === "AppDeleted" && index > 200);
    const wrong = checkpointsOf(messages.filter((_, index) => index !== at));
    expect(firstDifference(checkpoints, wrong)).toMatch(/^after event \d00: .*fleet/);
  });
});

function changeMachine(world: World, machineId: string, change: object): void {
  for (const { host } of world.view.logs.values()) {
    const machine = host.machines.get(machineId);
    if (machine !== undefined) host.machines.set(machineId, { ...machine, ...change } as typeof machine);
  }
}
