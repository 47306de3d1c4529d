import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { MachineConfig } from "#contracts";
import { MACHINE_STATES, type Machine, type MachineStateName } from "#machines";
import { choose, type Wish } from "./choose.ts";
import { type Route, routeOf } from "./route.ts";
import { Uses } from "./uses.ts";

const HTTP = { internal_port: 8080, ports: [{ port: 80, handlers: ["http"] }] };

interface Traits {
  readonly state?: MachineStateName;
  readonly region?: string;
  readonly service?: object;
  readonly hostId?: string;
  readonly isCordoned?: boolean;
}

function route(
  machineId: string,
  { state = "started", region = "here", service = {}, hostId = "host-a", isCordoned = false }: Traits = {},
) {
  const config = { image: "hello", services: [{ ...HTTP, ...service }] } as MachineConfig;
  const machine = {
    id: machineId,
    appName: "hello",
    region,
    state,
    ipv4: "10.0.1.0",
    epoch: 1,
    startId: "s1",
    isCordoned,
    config,
  };
  return routeOf(hostId, machine as unknown as Machine)!;
}

function busy(uses: Uses, at: Route, count: number): Uses {
  for (let request = 0; request < count; request += 1) uses.begin(at, 0);
  return uses;
}

const wish = (more: Partial<Wish> = {}): Wish => ({
  ...{ edgePort: 80, region: "here", avoid: new Set<string>(), isSilent: () => false, random: () => 0.5 },
  ...more,
});
const limits = (soft: number, hard: number, more: object = {}) => ({
  service: { concurrency: { soft_limit: soft, hard_limit: hard }, ...more },
});
const forward = (machineId: string) => ({ kind: "forward", route: { machineId } });
const wake = (machineId: string) => ({ kind: "wake", route: { machineId } });

describe("choose", () => {
  it("takes the machine with the least in flight, and any of several", () => {
    const [a, b, c] = [route("a"), route("b"), route("c")];
    const uses = busy(busy(new Uses(), a, 2), b, 1);
    expect(choose([a, b], uses, wish())).toMatchObject(forward("b"));
    const rolls = [0.9, 0.1];
    expect(choose([c, route("d")], uses, wish({ random: () => rolls.shift()! }))).toMatchObject(forward("d"));
  });

  it("prefers room to nearness, and a host that is heard to both", () => {
    const near = route("near", limits(1, 9));
    const far = route("far", { region: "there", ...limits(1, 9) });
    const uses = new Uses();
    expect(choose([far, near], uses, wish())).toMatchObject(forward("near"));
    busy(uses, near, 1);
    expect(choose([far, near], uses, wish())).toMatchObject(forward("far"));
    const silent = route("silent", { hostId: "host-z" });
    expect(choose([silent, near], uses, wish({ isSilent: (id) => id === "host-z" }))).toMatchObject(
      forward("near"),
    );
    expect(choose([silent], uses, wish({ isSilent: () => true }))).toMatchObject(forward("silent"));
  });

  it("has one more woken when all are above their soft limit, and goes on with the least used", () => {
    const [a, spare] = [route("a", limits(2, 3)), route("b", { state: "stopped" })];
    const uses = busy(new Uses(), a, 1);
    expect(choose([a, spare], uses, wish())).toEqual(
      expect.not.objectContaining({ wake: expect.anything() }),
    );
    busy(uses, a, 1);
    expect(choose([a, spare], uses, wish())).toMatchObject({ ...forward("a"), wake: { machineId: "b" } });
    busy(uses, a, 1);
    expect(choose([a, spare], uses, wish())).toMatchObject(wake("b"));
    expect(choose([a], uses, wish())).toEqual({ kind: "full" });
  });

  it("wakes what serves soonest, nearest first, and of equals the same as every other router", () => {
    const sleeping = (states: readonly MachineStateName[], more: Traits = {}) =>
      states.map((state) => route(`${more.region ?? "here"}-${state}`, { state, ...more }));
    const order = ["starting", "suspended", "stopped", "stopping", "creating", "failed"] as const;
    for (let from = 0; from < order.length; from += 1) {
      const all = [...sleeping(order.slice(from)).reverse(), ...sleeping(order, { region: "there" })];
      expect(choose(all, new Uses(), wish())).toMatchObject(wake(`here-${order[from]}`));
    }
    const twins = ["c", "a", "b"].map((id) => route(id, { state: "stopped" }));
    expect(choose(twins, new Uses(), wish())).toMatchObject(wake("a"));
    expect(choose(twins, new Uses(), wish({ avoid: new Set(["a"]) }))).toMatchObject(wake("b"));
  });

  it("asks the host first of a machine that may be stopped when idle, until it has answered", () => {
    const drowsy = route("a", { service: { autostop: "stop" } });
    const uses = new Uses();
    expect(choose([drowsy], uses, wish())).toMatchObject(wake("a"));
    uses.open(drowsy, 0);
    expect(choose([drowsy], uses, wish())).toMatchObject(forward("a"));
  });

  it("starts no machine that requests may not start, but waits for one that comes up by itself", () => {
    const manual = (state: MachineStateName) => route("a", { state, service: { autostart: false } });
    expect(choose([manual("stopped")], new Uses(), wish())).toEqual({
      kind: "none",
      code: "machine_stopped",
    });
    expect(choose([manual("starting")], new Uses(), wish())).toMatchObject(wake("a"));
  });

  it("leaves out a cordoned machine, running or asleep, and says so when there is no other", () => {
    const cordoned = [route("a", { isCordoned: true }), route("b", { isCordoned: true, state: "stopped" })];
    const none = { kind: "none", code: "machine_cordoned" };
    expect(choose(cordoned, new Uses(), wish())).toEqual(none);
    expect(choose([...cordoned, route("c", { state: "stopped" })], new Uses(), wish())).toMatchObject(
      wake("c"),
    );
    const manual = route("d", { state: "stopped", service: { autostart: false } });
    for (const machines of [
      [manual, ...cordoned],
      [...cordoned, manual],
    ]) {
      expect(choose(machines, new Uses(), wish())).toEqual({ kind: "none", code: "machine_stopped" });
    }
  });

  it("says why there is none", () => {
    expect(choose([], new Uses(), wish())).toEqual({ kind: "none", code: "no_machine" });
    const mail = route("a", { service: { ports: [{ port: 25, handlers: ["tls"] }] } });
    expect(choose([mail], new Uses(), wish())).toEqual({ kind: "none", code: "no_machine" });
    const going = route("a", { state: "destroying" });
    expect(choose([going], new Uses(), wish())).toEqual({ kind: "none", code: "no_machine" });
  });

  it("never gives a machine more than its hard limit, nor a request to one that it should avoid or that is not there", () => {
    const traits = fc.record({
      state: fc.constantFrom(
        ...MACHINE_STATES.filter((state) => !["destroyed", "replaced", "migrated"].includes(state)),
      ),
      region: fc.constantFrom("here", "there"),
      inFlight: fc.nat(4),
      avoided: fc.boolean(),
      autostop: fc.constantFrom("off", "stop"),
    });
    const property = fc.property(fc.array(traits, { maxLength: 6 }), (all) => {
      const uses = new Uses();
      const avoid = new Set<string>();
      const routes = all.map(({ state, region, inFlight, avoided, autostop }, index) => {
        const made = route(`m${index}`, { state, region, ...limits(2, 3, { autostop }) });
        busy(uses, made, inFlight);
        if (avoided) avoid.add(made.machineId);
        return made;
      });
      const choice = choose(routes, uses, wish({ avoid }));
      if (choice.kind === "forward") {
        expect(choice.route.state).toBe("started");
        expect(uses.inFlight(choice.route.machineId)).toBeLessThan(3);
        expect(uses.isOpen(choice.route)).toBe(true);
      }
      if (choice.kind === "forward" || choice.kind === "wake")
        expect(avoid.has(choice.route.machineId)).toBe(false);
      if (choice.kind === "full")
        expect(routes.some(({ machineId }) => uses.inFlight(machineId) >= 3)).toBe(true);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
