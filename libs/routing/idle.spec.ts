import { describe, expect, it } from "@jest/globals";
import type { MachineConfig } from "#contracts";
import type { Machine } from "#machines";
import { closeIdle, keptRunning } from "./idle.ts";
import { type Route, routeOf } from "./route.ts";
import { Uses } from "./uses.ts";

const SERVICE = { internal_port: 80, autostop: "stop", autostop_after: "10s" };

function route(machineId: string, service: object = {}, more: Partial<Machine> = {}): Route {
  const config = { image: "hello", services: [{ ...SERVICE, ...service }] } as MachineConfig;
  const machine = {
    id: machineId,
    appName: "hello",
    region: "here",
    state: "started",
    epoch: 1,
    startId: "s1",
    config,
  };
  return routeOf("host-a", { ...machine, ...more } as unknown as Machine)!;
}

function table(...routes: Route[]) {
  const machines = new Map(routes.map((each) => [each.machineId, each]));
  const get = (machineId: string) => machines.get(machineId);
  return { byApp: () => new Map([["hello", machines]]), hostIds: ["host-a", "host-b"], get };
}

const idleAt = (uses: Uses, nowMs: number, ...routes: Route[]) =>
  closeIdle(table(...routes), uses, nowMs).get("host-a");

describe("closeIdle", () => {
  it("has a list for every host, and closes a machine before it says that it is idle", () => {
    const machine = route("a");
    const uses = new Uses();
    uses.open(machine, 0);
    expect(closeIdle(table(machine), uses, 9_999)).toEqual(
      new Map([
        ["host-a", []],
        ["host-b", []],
      ]),
    );
    expect(uses.isOpen(machine)).toBe(true);
    expect(idleAt(uses, 10_000, machine)).toEqual(["a"]);
    expect(uses.isOpen(machine)).toBe(false);
    expect(idleAt(uses, 11_000, machine)).toEqual(["a"]);
  });

  it("leaves a cordoned machine to whoever cordoned it, and counts from its return", () => {
    const cordoned = route("a", {}, { isCordoned: true });
    const uses = new Uses();
    uses.open(cordoned, 0);
    expect(idleAt(uses, 60_000, cordoned)).toEqual([]);
    const back = route("a");
    expect(idleAt(uses, 69_999, back)).toEqual([]);
    expect(idleAt(uses, 70_000, back)).toEqual(["a"]);
  });

  it("counts from the end of the last request, and never during one", () => {
    const machine = route("a");
    const uses = new Uses();
    uses.open(machine, 0);
    uses.begin(machine, 1_000);
    expect(idleAt(uses, 60_000, machine)).toEqual([]);
    uses.end("a", 60_000);
    expect(idleAt(uses, 69_999, machine)).toEqual([]);
    expect(idleAt(uses, 70_000, machine)).toEqual(["a"]);
  });

  it("lets a machine be from the moment its host is asked to wake it", () => {
    const machine = route("a");
    const uses = new Uses();
    idleAt(uses, 0, machine);
    expect(idleAt(uses, 10_000, machine)).toEqual(["a"]);
    uses.want(machine, 10_500);
    expect(idleAt(uses, 11_000, machine)).toEqual([]);
    expect(uses.isOpen(machine)).toBe(false);
  });

  it("gives a machine that somebody starts the whole time, and keeps it closed", () => {
    const uses = new Uses();
    idleAt(uses, 0, route("a"));
    expect(idleAt(uses, 20_000, route("a"))).toEqual(["a"]);
    const again = route("a", {}, { startId: "s2" });
    expect(idleAt(uses, 21_000, again)).toEqual([]);
    expect(uses.isOpen(again)).toBe(false);
    expect(idleAt(uses, 31_000, again)).toEqual(["a"]);
  });

  it("speaks only of machines that run and may be stopped", () => {
    const uses = new Uses();
    const routes = [route("a", {}, { state: "stopped" }), route("b", { autostop: "off" })];
    idleAt(uses, 0, ...routes);
    expect(idleAt(uses, 60_000, ...routes)).toEqual([]);
    const both = { ...SERVICE, internal_port: 81, autostop: false };
    const mixed = route("c", {}, { config: { image: "hello", services: [SERVICE, both] } as MachineConfig });
    idleAt(uses, 60_000, mixed);
    expect(idleAt(uses, 120_000, mixed)).toEqual([]);
  });

  it("forgets machines that are gone, not those with a request under way", () => {
    const uses = new Uses();
    uses.begin(route("a"), 0);
    uses.open(route("b"), 0);
    idleAt(uses, 1);
    expect([uses.inFlight("a"), uses.isOpen(route("b"))]).toEqual([1, false]);
    uses.end("a", 2);
    idleAt(uses, 3);
    expect(uses.inFlight("a")).toBe(0);
  });
});

describe("keptRunning", () => {
  const kept = (...routes: Route[]) => [...keptRunning(routes)].sort();
  const two = { min_machines_running: 2 };

  it("is the running machines with the lowest ids, in each region", () => {
    const running = ["c", "b", "d"].map((id) => route(id, two));
    const stopped = route("a", two, { state: "stopped" });
    const abroad = route("z", two, { region: "there" });
    expect(kept(...running, stopped, abroad)).toEqual(["b", "c", "z"]);
  });

  it("goes by the largest number that a service names", () => {
    expect(kept(route("a"), route("b"))).toEqual([]);
    expect(kept(route("a"), route("b", two), route("c"))).toEqual(["a", "b"]);
  });
});
