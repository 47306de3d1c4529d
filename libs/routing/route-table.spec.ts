import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { LogFold } from "#event-log";
import { emptyFleet, evolveFleet, FLEET_FOLD, fleetFromJson, fleetToJson } from "#fleet";
import { SimulatedClock } from "#kernel";
import type { Machine } from "#machines";
import { SimulatedFleet } from "#testing";
import { RouteTable } from "./route-table.ts";

const HOSTS = ["host-a", "host-b", "host-c"];
const DOMAINS = ["localhost", "drover.example"];

/** A fleet in whose life machines are given to other hosts, too, with and without their first owner knowing. */
function lived(seed: number, moments: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  for (const hostId of HOSTS) fleet.join(hostId);
  for (let moment = 0; moment < moments; moment += 1) {
    fleet.live();
    if (fleet.ids.random() < 0.05) {
      const [from, to] = fleet.ids.random() < 0.5 ? ["host-a", "host-b"] : ["host-b", "host-c"];
      const machine = fleet.machines(from!)[0];
      if (machine !== undefined) giveAway(fleet, from!, to!, machine);
    }
  }
  return fleet;
}

/** Another host makes the machine in the next epoch; its first owner is not asked. */
function giveAway(fleet: SimulatedFleet, from: string, to: string, machine: Machine): void {
  const { id: machineId, appName, name, instanceId, config, resources } = machine;
  const epoch = machine.epoch + 1;
  const ownerGone = { kind: "absent", hostId: from, epoch: machine.epoch } as const;
  const placed = { machineId, appName, hostId: to, epoch, region: "local", candidates: [], refusals: [] };
  fleet.decideControl({ type: "DecidePlacement", ...placed, ownerGone });
  const wanted = { reservationId: fleet.ids.ulid(), machineId, appName, epoch };
  fleet.decideHost(to, { type: "ReserveMachine", ...wanted, resources, ports: [], ttlMs: 5_000 });
  const described = { appName, name, instanceId, config, skipLaunch: false, origin: "user" };
  fleet.decideHost(to, { type: "CommitMachine", ...wanted, ...described });
}

/** Each log's events in order, logs mixed at random; what comes early or twice is for the fold to put right. */
function mixed(fleet: SimulatedFleet): RecordedEvent[] {
  const logs = [...fleet.logs.values()].map((events) => [...events]);
  const all: RecordedEvent[] = [];
  for (let left = logs; left.length > 0; left = left.filter((log) => log.length > 0)) {
    all.push(left[Math.floor(fleet.ids.random() * left.length)]!.shift()!);
  }
  return all;
}

function shown(table: RouteTable) {
  const routes = [...table.all().values()].sort((a, b) => (a.machineId < b.machineId ? -1 : 1));
  const byApp = [...table.byApp()].map(([appName, machines]) => [appName, [...machines.keys()].sort()]);
  return { routes, byApp, hosts: [...table.hostIds].sort() };
}

describe("RouteTable", () => {
  it("I4: is after each event the one that would be made from the view, in whatever order logs arrive", () => {
    const property = fc.property(fc.integer(), fc.integer({ min: 0, max: 120 }), (seed, moments) => {
      const fleet = lived(seed, moments);
      const changed = new Set<string>();
      const fold = new LogFold(FLEET_FOLD, new SimulatedClock(), {
        applied: (event) => {
          const before = shown(table);
          changed.clear();
          table.apply(event);
          const after = shown(table);
          expect(after).toEqual(shown(new RouteTable(fold.state)));
          if (changed.size === 0) expect(after.routes).toEqual(before.routes);
        },
        quarantined: () => expect(undefined).toBe("no event is bad"),
      });
      const table = new RouteTable(fold.state, (appName) => changed.add(appName));
      for (const event of mixed(fleet)) {
        const hostId = event.log === fleet.controlLog ? undefined : event.subject.split(".")[2];
        fold.offer(event.log, hostId, event.sequence, { kind: "event", event });
      }
      const restored = fleetFromJson(JSON.parse(JSON.stringify(fleetToJson(fold.state))));
      expect(shown(new RouteTable(restored))).toEqual(shown(table));
      for (const route of table.all().values()) {
        expect(fleet.host(route.hostId).machines.get(route.machineId)).toMatchObject({ state: route.state });
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("F30: sends nothing to a host that a machine was taken from, whatever that host still says", () => {
    const fleet = new SimulatedFleet(3);
    for (const hostId of HOSTS) fleet.join(hostId);
    const machineId = fleet.create("host-a");
    fleet.settle("host-a", machineId);
    giveAway(fleet, "host-a", "host-b", fleet.host("host-a").machines.get(machineId)!);
    fleet.command("host-a", machineId, { type: "StopMachine", origin: "user" });
    fleet.settle("host-a", machineId);
    const view = emptyFleet();
    const table = new RouteTable(view);
    const late = [...fleet.logs.values()].reverse().flat();
    for (const event of late) {
      evolveFleet(view, event);
      table.apply(event);
    }
    expect(table.get(machineId)).toMatchObject({ hostId: "host-b", epoch: 2, state: "creating" });
    fleet.settle("host-b", machineId);
  });

  it("F31: a machine's address goes with it", () => {
    const fleet = new SimulatedFleet(4);
    fleet.join("host-a");
    const machineId = fleet.create("host-a");
    fleet.settle("host-a", machineId);
    fleet.command("host-a", machineId, { type: "DestroyMachine", origin: "user", force: true });
    const before = fleet.events();
    fleet.settle("host-a", machineId);
    const view = before.reduce(evolveFleet, emptyFleet());
    const table = new RouteTable(view);
    expect(table.get(machineId)).toMatchObject({ state: "destroying", ipv4: "10.213.1.0" });
    for (const event of fleet.events().slice(before.length)) {
      evolveFleet(view, event);
      table.apply(event);
    }
    expect(table.get(machineId)).toBeUndefined();
    expect(table.machinesOf("hello").size).toBe(0);
  });
});

describe("appOf", () => {
  const fleet = new SimulatedFleet(1);
  const app = { type: "CreateApp", orgSlug: "personal", network: "default", atMs: 1 } as const;
  fleet.decideControl({ ...app, appName: "shop", appId: "app-2" });
  fleet.decideControl({ ...app, appName: "gone", appId: "app-3" });
  const claim = { type: "ClaimHostname", atMs: 1 } as const;
  fleet.decideControl({ ...claim, hostname: "www.example.com", appName: "shop", appId: "app-2" });
  fleet.decideControl({ ...claim, hostname: "old.example.com", appName: "gone", appId: "app-3" });
  fleet.decideControl({ ...claim, hostname: "hello.localhost", appName: "shop", appId: "app-2" });
  fleet.decideControl({ ...claim, hostname: "store.localhost", appName: "shop", appId: "app-2" });
  fleet.decideControl({ type: "DeleteApp", appName: "gone", machineCount: 0 });
  fleet.decideControl({ ...app, appName: "gone", appId: "app-4" });
  const table = new RouteTable(fleet.events().reduce(evolveFleet, emptyFleet()));

  it.each([
    ["hello.localhost", "hello"],
    ["HELLO.LocalHost.:8080", "hello"],
    ["hello.drover.example", "hello"],
    ["www.example.com:80", "shop"],
    ["WWW.example.COM.", "shop"],
    ["store.localhost", "shop"],
    ["gone.localhost", "gone"],
  ])("%s is of app %s", (header, appName) => {
    expect(table.appOf(header, DOMAINS)).toBe(appName);
  });

  it.each([
    [undefined, "", "localhost", "localhost:8080", ".localhost", "hello", "nobody.localhost"],
    ["old.example.com", "example.com", "a.hello.localhost", "hello.localhost.evil.example"],
    [
      "[::1]:8080",
      "::1",
      "127.0.0.1:8080",
      "hello.localhost:8080:8080",
      "hello.localhost:",
      "hello.localhost:999999",
    ],
    [
      "hello.localhost/x",
      "hello.localhost\0",
      "hello..localhost",
      "hello.localhost..",
      "héllo.localhost",
      "%68ello.localhost",
    ],
    [
      "hello.localhost, shop.localhost",
      "user@hello.localhost",
      `${"a".repeat(300)}.localhost`,
      "constructor.localhost",
    ],
  ])("nobody has %j, nor the others", (...headers) => {
    for (const header of headers) expect([header, table.appOf(header, DOMAINS)]).toEqual([header, undefined]);
  });
});
