import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { IdleWorld, type SimulatedRouter } from "./idle-world.fixture.ts";
import { LOST_FOR_MS } from "./load-leases.ts";

const service = { internal_port: 8080, autostop_after: 1 };

describe("idle autostop", () => {
  it("stops what every router has closed", async () => {
    const world = new IdleWorld(3);
    await world.pass(20_000);
    expect(world.stops).toEqual([[]]);
  });

  it.each([
    ["no services", {}],
    ["a service that stays up", { services: [{ ...service, autostop: "off" as const }] }],
    [
      "one such service among others",
      {
        services: [
          { ...service, autostop: true },
          { ...service, autostop: false },
        ],
      },
    ],
  ])("leaves a machine alone that has %s", async (_, config) => {
    const world = new IdleWorld(1, config);
    await world.pass(60_000);
    expect(world.stops).toEqual([]);
  });

  it("stops a machine that is to be suspended where the host cannot do that", async () => {
    const world = new IdleWorld(1, { services: [{ ...service, autostop: "suspend" }] });
    await world.pass(20_000);
    expect(world.stops).toEqual([[]]);
    expect(world.isRunning).toBe(false);
  });

  it("does not happen as long as one router uses the machine, and does when it has done with it", async () => {
    const world = new IdleWorld(3);
    world.routers[1]!.request();
    await world.pass(60_000);
    expect(world.stops).toEqual([]);
    world.routers[1]!.finish();
    await world.pass(20_000);
    expect(world.stops).toEqual([[]]);
  });

  it("does not happen on a host that hears no router", async () => {
    const world = new IdleWorld(2);
    await world.pass(2_000);
    for (const router of world.routers) router.cut();
    await world.pass(2 * LOST_FOR_MS);
    expect(world.stops).toEqual([]);
  });

  it("waits ten minutes for a router that was lost without a word, also across the agent's restart", async () => {
    const world = new IdleWorld(2);
    await world.pass(2_000);
    world.routers[0]!.crash();
    await world.pass(LOST_FOR_MS / 2);
    expect(world.stops).toEqual([]);
    world.restartAgent();
    await world.pass(LOST_FOR_MS / 2);
    expect(world.stops).toEqual([]);
    await world.pass(LOST_FOR_MS);
    expect(world.stops).toEqual([[]]);
  });

  it("does not rely on what a router said that was lost since: it may use the machine unasked", async () => {
    const world = new IdleWorld(2);
    const [used, lost] = world.routers as [SimulatedRouter, SimulatedRouter];
    used.request();
    await world.pass(5_000);
    lost.cut();
    await world.pass(12_000);
    lost.request();
    used.finish();
    await world.pass(60_000);
    expect(lost.mayUse).toBe(true);
    expect(world.stops).toEqual([]);
  });

  it("does not rely on what had waited for an agent that hung", async () => {
    const world = new IdleWorld(2);
    const [used, unanswered] = world.routers as [SimulatedRouter, SimulatedRouter];
    used.request();
    await world.pass(5_000);
    used.finish();
    world.pauseAgent(20_000);
    await world.pass(5_000);
    unanswered.request();
    await world.pass(12_000);
    unanswered.request();
    await world.pass(60_000);
    expect(unanswered.mayUse).toBe(true);
    expect(world.stops).toEqual([]);
  });

  it("does not wait for a router that took its leave, or came back", async () => {
    const world = new IdleWorld(3);
    await world.pass(2_000);
    world.routers[0]!.leave();
    world.routers[1]!.crash();
    world.routers[1]!.begin();
    await world.pass(20_000);
    expect(world.stops).toEqual([[]]);
  });

  it("F20: goes by the monotonic clock, however the wall clock jumps", async () => {
    const world = new IdleWorld(2);
    world.routers[0]!.request();
    await world.pass(4_000);
    world.clock.jump(86_400_000);
    await world.pass(4_000);
    expect(world.stops).toEqual([]);
    world.routers[0]!.finish();
    world.clock.jump(-2 * 86_400_000);
    await world.pass(20_000);
    expect(world.stops).toEqual([[]]);
  });

  it("hears nothing in a message that is no lease", async () => {
    const world = new IdleWorld(1);
    world.lease({ routerId: "a.b" } as never);
    world.lease({ routerId: "r0", incarnation: "life-001", idle: ["unknown"] });
    expect(world.stops).toEqual([]);
  });
});

type Act = (world: IdleWorld) => Promise<void> | void;

const onRouter = (name: string, act: (router: SimulatedRouter) => void) =>
  fc.nat(2).map((n): [string, Act] => [`${name} r${n}`, (world) => act(world.routers[n]!)]);
const act: fc.Arbitrary<[string, Act]> = fc.oneof(
  { weight: 8, arbitrary: onRouter("request", (router) => router.request()) },
  { weight: 4, arbitrary: onRouter("finish", (router) => router.finish()) },
  { weight: 1, arbitrary: onRouter("cut", (router) => router.cut()) },
  { weight: 2, arbitrary: onRouter("heal", (router) => router.heal()) },
  { weight: 1, arbitrary: onRouter("crash", (router) => router.crash()) },
  { weight: 1, arbitrary: onRouter("leave", (router) => router.leave()) },
  { weight: 2, arbitrary: onRouter("begin", (router) => router.begin()) },
  {
    weight: 8,
    arbitrary: fc.nat(15).map((s): [string, Act] => [`${s} s`, (world) => world.pass(s * 1_000)]),
  },
  { weight: 1, arbitrary: fc.constant<[string, Act]>(["11 min", (world) => world.pass(660_000)]) },
  { weight: 4, arbitrary: fc.constant<[string, Act]>(["12 s", (world) => world.pass(12_000)]) },
  {
    weight: 1,
    arbitrary: fc.nat(20).map((s): [string, Act] => [`pause ${s}`, (world) => world.pauseAgent(s * 1_000)]),
  },
  { weight: 1, arbitrary: fc.constant<[string, Act]>(["restart agent", (world) => world.restartAgent()]) },
  { weight: 1, arbitrary: fc.constant<[string, Act]>(["start", (world) => world.start()]) },
);

describe("whatever happens to routers, links and the agent", () => {
  it("no machine is stopped that any router may be using", async () => {
    let stops = 0;
    const told = fc.array(act, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(told, async (acts) => {
        const world = new IdleWorld(3);
        for (const [, happens] of acts) await happens(world);
        stops += world.stops.length;
        expect(world.stops.flat()).toEqual([]);
      }),
      { numRuns: process.env.DROVER_FULL === "1" ? 2_000 : 150 },
    );
    expect(stops).toBeGreaterThan(0);
  });
});
