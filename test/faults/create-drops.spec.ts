import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Fate, ShownMachine } from "#testing";
import { type Nth, Recorder, Sabotage } from "../plane/messages.ts";
import { type Answer, Plane } from "../plane/plane.ts";
import { assertNothingReserved, assertOne, awaitStart, insistOn, send } from "../plane/sure-create.ts";

const FULL = process.env.DROVER_FULL === "1";
/** One in so many cases is tried by default, another one for each fault; all of them when asked. */
const STRIDE = FULL ? 1 : 9;
const HOSTS = ["host-a", "host-b", "host-c"];

let plane: Plane;
/** All that is said for one create, from the request until the machine runs. */
let messages: readonly Nth[];
let creates = 0;

beforeAll(async () => {
  plane = await Plane.start(HOSTS, { capacity: { cpuMillis: 64_000, memoryMib: 65_536 } });
  await plane.ask("POST", "/v1/apps", { name: "app" });
  const recorder = new Recorder();
  plane.watch = recorder.watch;
  const create = next();
  const machine = await insistOn(() => send(plane, create));
  await awaitStart(plane, machine);
  plane.watch = () => "arrives";
  messages = [...recorder.messages];
  await assertOne(plane, create, machine);
}, 60_000);
afterEach(() => {
  plane.watch = () => "arrives";
});
afterAll(() => plane.stop());

/** The end of one party, at most. */
class Death {
  /** Resolves when somebody has taken over. */
  successor: Promise<void> = Promise.resolve();
  hasStruck = false;
  readonly ofApi: Promise<undefined>;
  readonly #end: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.ofApi = promise;
    this.#end = () => resolve(undefined);
  }

  strike(plane: Plane, victim: string): void {
    this.hasStruck = true;
    this.successor = plane.replace(victim);
    if (victim === "api") void this.successor.then(this.#end);
  }
}

function next() {
  creates += 1;
  return { name: `machine-${creates}`, key: `key-${creates}` };
}

function sample(offset: number): readonly Nth[] {
  return messages.filter((_, index) => index % STRIDE === offset % STRIDE);
}

/** Creates while something happens to that message; what the client sees in the end is one machine. */
async function sabotaged(target: Nth, act: (party: string) => Fate): Promise<boolean> {
  const create = next();
  const sabotage = new Sabotage(target, act);
  plane.watch = sabotage.watch;
  const machine = await insistOn(() => send(plane, create));
  await assertOne(plane, create, machine);
  return sabotage.party !== undefined;
}

describe("a create of which one message", () => {
  const faults: readonly (readonly [string, Fate])[] = [
    ["is lost", "lost"],
    ["comes twice", "twice"],
    ["comes late, after it was sent again", { lateMs: 1_500 }],
  ];

  it("is one of those that were counted", () => {
    const names = new Set(messages.map(({ name }) => name));
    for (const verb of ["place", "bid", "offer", "commit"]) {
      expect(names).toContain(`the ${verb === "place" ? "api" : "scheduler"} sends ${verb}`);
      expect(names).toContain(`the ${verb === "place" ? "api" : "scheduler"} hears the answer to ${verb}`);
    }
    for (const event of ["IdempotencyKeyClaimed", "MachineNameClaimed", "PlacementDecided"]) {
      expect([...names].join()).toMatch(`sends ${event}`);
      expect([...names].join()).toMatch(`hears the answer to ${event}`);
    }
    for (const event of ["ReservationMade", "MachineCreating", "MachineCreated", "MachineStarted"]) {
      expect(names).toContain(`a host sends ${event}`);
    }
  });

  it.each(faults)(
    "%s makes exactly one machine",
    async (fault, fate) => {
      let happened = 0;
      const targets = sample(faults.findIndex(([name]) => name === fault));
      for (const target of targets) {
        const did = await sabotaged(target, () => fate).catch((error: unknown) => {
          throw new Error(`${target.name} (${target.nth}) ${fault}`, { cause: error });
        });
        if (did) happened += 1;
      }
      expect(happened).toBeGreaterThan(targets.length / 2);
      await assertNothingReserved(plane);
    },
    1_800_000,
  );
});

describe("a create during which somebody is killed", () => {
  const moments = ["before it is heard", "after it was heard"] as const;
  const cases = ["api", "scheduler", "host"].flatMap((victim) =>
    moments.map((moment) => [victim, moment] as const),
  );

  /** The host that the create has come to; any while it has come to none. */
  function hostOf(party: string): string {
    const chosen = plane.hosts.find(({ state }) => state.reservations.size > 0);
    return HOSTS.includes(party) ? party : (chosen?.hostId ?? "host-a");
  }

  /** Asks again when the API died over it, and when it said no. */
  async function survivors(ask: () => Promise<Answer<ShownMachine>>, death: Death): Promise<ShownMachine> {
    return insistOn(async () => {
      // Of what the dead one was asked, nothing is ever heard.
      const answer = await (death.hasStruck ? ask() : Promise.race([ask(), death.ofApi]));
      await death.successor;
      return answer;
    });
  }

  async function killed(target: Nth, victim: string, moment: string): Promise<boolean> {
    const create = next();
    const death = new Death();
    const sabotage = new Sabotage(target, (party) => {
      // What was decided to arrive is on its way before its sender is gone.
      queueMicrotask(() => death.strike(plane, victim === "host" ? hostOf(party) : victim));
      return moment === "before it is heard" ? "lost" : "arrives";
    });
    plane.watch = sabotage.watch;
    const machine = await survivors(() => send(plane, create), death);
    await survivors(() => awaitStart(plane, machine), death);
    plane.watch = () => "arrives";
    await assertOne(plane, create, machine);
    return sabotage.party !== undefined;
  }

  it.each(cases)(
    "the %s, at a message, %s: exactly one machine",
    async (victim, moment) => {
      let happened = 0;
      const targets = sample(cases.findIndex(([name, when]) => name === victim && when === moment));
      for (const target of targets) {
        const did = await killed(target, victim, moment).catch((error: unknown) => {
          throw new Error(`${victim} killed when ${target.name} (${target.nth}), ${moment}`, {
            cause: error,
          });
        });
        if (did) happened += 1;
      }
      expect(happened).toBeGreaterThan(targets.length / 2);
      await assertNothingReserved(plane);
    },
    1_800_000,
  );
});
