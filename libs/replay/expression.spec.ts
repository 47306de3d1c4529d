import { describe, expect, it } from "@jest/globals";
import { RefusedError } from "#kernel";
import { SimulatedFleet } from "#testing";
import { factsOf } from "#timeline";
import { bisect } from "./bisect.ts";
import { FREE_FACTS, KNOWN_FACTS } from "./expression-facts.ts";
import { entitiesOf, livedFleet, timelineOf } from "./fleets.fixture.ts";
import { invariantOf } from "./invariant-of.ts";
import { verify } from "./verify.ts";

function small(): { fleet: SimulatedFleet; machineId: string } {
  const fleet = new SimulatedFleet(5);
  fleet.join("h1");
  const machineId = fleet.create("h1");
  fleet.settle("h1", machineId);
  return { fleet, machineId };
}

async function firstOf(fleet: SimulatedFleet, text: string) {
  return (await bisect(timelineOf(fleet.events()), invariantOf(text))).first;
}

describe("an expression", () => {
  it("breaks at the first event after which it does not hold, and heals", async () => {
    const { fleet, machineId } = small();
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" });
    fleet.settle("h1", machineId);
    fleet.command("h1", machineId, { type: "StartMachine", origin: "user" });
    const first = await firstOf(fleet, 'machine.state != "stopped"');
    expect(first?.violation).toMatchObject({
      entity: { kind: "machine", id: machineId },
      message: "machine.state is stopped",
      event: { type: "MachineStopped" },
      healedBy: { type: "MachineStarting" },
    });
    expect(first?.changes).toContainEqual(expect.objectContaining({ path: "state", after: "stopped" }));
  });

  it.each([
    ["host.promised.memoryMib < 200", "ReservationMade"],
    ["host.promised.memoryMib <= host.capacity.memoryMib", undefined],
    ['machine.state != "started" || host.machines < 1', "MachineStarted"],
    ['machine.state in ["placed", "creating", "created"]', "MachineStarting"],
    ['!machine.image_digest.startsWith("sha256:")', "MachineCreated"],
    ["!has(machine.operation)", "MachineCreating"],
    ["!has(machine.route.start)", "MachineStarted"],
    ['event.type != "PlacementDecided"', "PlacementDecided"],
    ['event.actor == "simulated"', undefined],
    ['machine.config.env.GREETING == "" || machine.config.env.GREETING == "hi"', undefined],
    ["machine.config.guest.memory_mb == 0", undefined],
    ['machine.error.code == ""', undefined],
    ["machine.epoch + 1 == 2", undefined],
    ['volume.attached_machine == ""', undefined],
    ["size(machine.name) < 3", "MachineCreating"],
    ["now_ms > 0", undefined],
    ['machine.image_digest != ""', "PlacementDecided"],
    ['app.name != "hello"', "AppCreated"],
    ["machine.epoch > 0 ? machine.epoch < 2 : false", undefined],
  ])("%s is broken by %s", async (text, type) => {
    expect((await firstOf(small().fleet, text))?.violation.event.type).toBe(type);
  });

  it("is asked again of machines when their host changes", async () => {
    const { fleet, machineId } = small();
    const measured = { capacity: { cpuMillis: 1, memoryMib: 1 }, maxMachines: 1, features: [] };
    fleet.decideHost("h1", { type: "MeasureCapacity", ...measured });
    const first = await firstOf(fleet, "machine.epoch == 0 || host.capacity.memoryMib > 100");
    expect(first?.violation).toMatchObject({
      entity: { kind: "machine", id: machineId },
      event: { type: "HostCapacityMeasured" },
    });
  });

  it("that is broken where the look begins is told of, and blamed on nobody", async () => {
    const { fleet } = small();
    const timeline = timelineOf(fleet.events());
    const invariants = [invariantOf('machine.state != "started"')];
    const verdict = await verify(timeline, { invariants, since: { kind: "now" } });
    expect(verdict.violations).toEqual([]);
    expect(verdict.invariants).toMatchObject([
      { violations: 0, now: 1, standing: [{ message: "machine.state is started" }] },
    ]);
  });

  it.each([
    ["machine.stat == 1", "character 1: there is no fact machine.stat: there are machine.id,"],
    ["machine.state = 1", "character 15: Unexpected character: ="],
    ["machin.state == 1", "character 1: there is no machin: there are machine, host"],
    ["machine.epoch == 1 && machine.state == 1", "character 23: no such overload: string == int"],
    ["machine.state", "it is a string: compare it with something"],
    ["1 + 1", "it is a int: compare it with something"],
    ["machine == 1", "machine alone says nothing"],
    ['machine.state.matches("^(a+)+$")', ".matches() is not offered"],
    ["[1, 2].all(x, x > 0)", ".all() is not offered"],
    ["machine.constructor == 1", "there is no fact machine.constructor"],
    ["machine.__proto__ == 1", "there is no fact machine.__proto__"],
    ["machine.error == null", "there is no fact machine.error"],
    ["machine.state == null", "null is not offered"],
    ["snapshot.state == reservation.host", "which of these belong together is not known"],
    ['timestamp("x") == now_ms', "timestamp() is not offered"],
    ["", "no invariant is called"],
    ["no-overcomit", 'no invariant is called "no-overcomit": there are one-writer-per-volume'],
    [`${"(".repeat(200)}true${")".repeat(200)}`, "character"],
    ["true && ".repeat(400), "more than 2000 characters"],
  ])("%s is refused in a line that says where", (text, message) => {
    let refused: unknown;
    try {
      invariantOf(text);
    } catch (thrown) {
      refused = thrown;
    }
    expect(refused).toBeInstanceOf(RefusedError);
    expect((refused as RefusedError).message).toContain(message);
    expect((refused as RefusedError).message).not.toContain("\n");
  });

  it("that fails on what it is asked of is refused, and named", async () => {
    const asked = firstOf(small().fleet, "10 / machine.restarts > 1");
    await expect(asked).rejects.toThrow(/cannot be asked of machine\/[0-9a-f]+: /);
  });

  it("may speak of every fact that there is", async () => {
    const unknown = new Set<string>();
    for (const seed of [1, 2]) {
      const world = await timelineOf(livedFleet(seed, 300).events()).at({ kind: "now" });
      for (const entity of entitiesOf(world)) {
        for (const path of Object.keys(factsOf(world, entity) ?? {})) {
          const isFree = path.split(".", 1)[0] === FREE_FACTS[entity.kind];
          if (!isFree && !(path in KNOWN_FACTS[entity.kind])) unknown.add(`${entity.kind}.${path}`);
        }
      }
    }
    expect([...unknown]).toEqual([]);
  });
});
