import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import { LogFold } from "#event-log";
import { SimulatedClock } from "#kernel";
import { SimulatedFleet } from "#testing";
import { evolveFleet } from "./evolve.ts";
import { FLEET_FOLD } from "./fleet-fold.ts";
import { emptyFleet, type FleetView, fleetFromJson, fleetHash, fleetToJson } from "./fleet-view.ts";
import { HISTORY_LENGTH } from "./machine-history.ts";
import {
  findHost,
  findMachine,
  findMachineByName,
  listHosts,
  listMachines,
  machineHistory,
} from "./queries.ts";

function fold(events: readonly RecordedEvent[], view = emptyFleet()): FleetView {
  return events.reduce(evolveFleet, view);
}

function lived(seed: number, moments: number): SimulatedFleet {
  const fleet = new SimulatedFleet(seed);
  for (const hostId of ["host-a", "host-b", "host-c"]) fleet.join(hostId);
  for (let moment = 0; moment < moments; moment += 1) fleet.live();
  return fleet;
}

/** A log's events as a careless carrier would bring them: some lost, some twice, some late; then all of them in order. */
function carelessly(events: readonly RecordedEvent[], random: () => number): RecordedEvent[] {
  const live = events
    .flatMap((event) => (random() < 0.2 ? [] : random() < 0.2 ? [event, event] : [event]))
    .map((event, index) => ({ event, at: index + random() * 8 }))
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => event);
  return merge([live, [...events]], random);
}

function merge<T>(lists: T[][], random: () => number): T[] {
  const merged: T[] = [];
  const rest = lists.map((list) => [...list]).filter((list) => list.length > 0);
  while (rest.length > 0) {
    const index = Math.floor(random() * rest.length);
    merged.push(rest[index]!.shift()!);
    if (rest[index]!.length === 0) rest.splice(index, 1);
  }
  return merged;
}

describe("evolveFleet", () => {
  it("does not mind in which order logs arrive, nor losses that are made good, nor repeats", () => {
    const property = fc.property(fc.integer(), fc.integer({ min: 0, max: 300 }), (seed, moments) => {
      const fleet = lived(seed, moments);
      const wanted = fleetHash(fold(fleet.events()));
      const random = () => fleet.ids.random();
      const logFold = new LogFold(FLEET_FOLD, new SimulatedClock(), { applied() {}, quarantined() {} });
      const deliveries = [...fleet.logs.values()].map((events) => carelessly(events, random));
      for (const event of merge(deliveries, random)) {
        const hostId = event.subject.startsWith("evt.host.") ? event.subject.split(".")[2] : undefined;
        logFold.offer(event.log, hostId, event.sequence, { kind: "event", event });
      }
      expect(fleetHash(logFold.state)).toBe(wanted);
      expect(logFold.staleLogs()).toEqual([]);
      for (const [log, events] of fleet.logs) expect(logFold.position()[log]).toBe(events.length);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("agrees with every host about itself", () => {
    const fleet = lived(7, 400);
    const view = fold(fleet.events());
    for (const host of listHosts(view)) expect(host).toEqual(fleet.host(host.id));
    expect(listHosts(view).map(({ id }) => id)).toEqual(["host-a", "host-b", "host-c"]);
  });

  it("comes back from its JSON and goes on the same", () => {
    const fleet = lived(3, 200);
    const events = fleet.events();
    for (const at of [0, 1, 90, events.length]) {
      const saved = JSON.parse(JSON.stringify(fleetToJson(fold(events.slice(0, at)))));
      const view = fold(events.slice(at), fleetFromJson(saved));
      expect(fleetHash(view)).toBe(fleetHash(fold(events)));
    }
  });

  it("gives JSON that later events do not change", () => {
    const fleet = lived(3, 100);
    const events = fleet.events();
    const [early, late] = [events.slice(0, events.length / 2), events.slice(events.length / 2)];
    const view = fold(early);
    const saved = fleetToJson(view);
    const before = JSON.stringify(saved);
    fold(late, view);
    expect(JSON.stringify(saved)).toBe(before);
  });
});

describe("F15: a view of a long history", () => {
  /** Machines that came and went; far more than are remembered. */
  function churn(): SimulatedFleet {
    const fleet = new SimulatedFleet(1);
    fleet.join("host-a");
    for (let machine = 0; machine < 1_500; machine += 1) {
      const machineId = fleet.create("host-a", { skipLaunch: true });
      fleet.settle("host-a", machineId);
      fleet.command("host-a", machineId, { type: "DestroyMachine", origin: "user", force: true });
      fleet.settle("host-a", machineId);
      fleet.clock.jump(60_000);
    }
    return fleet;
  }
  const fleet = churn();
  const control = fleet.logs.get(fleet.controlLog)!;
  const rest = fleet.events().filter((event) => event.log !== fleet.controlLog);

  it("remembers no more machines, placements, names and histories than the hosts do", () => {
    const view = fold(fleet.events());
    const log = [...view.logs.values()][0]!;
    expect(log.host.machines.size).toBe(1_000);
    for (const map of [log.histories, view.control.placements, view.control.names]) {
      expect(map.size).toBe(1_000);
    }
    expect(view.unplaced.size).toBe(0);
  });

  it("does so whichever log comes first", () => {
    const wanted = fleetHash(fold(fleet.events()));
    expect(fleetHash(fold([...control, ...rest]))).toBe(wanted);
    expect(fleetHash(fold([...rest, ...control]))).toBe(wanted);
  });
});

describe("queries", () => {
  const fleet = new SimulatedFleet(5);
  fleet.join("host-a");
  fleet.join("host-b");
  const settled = fleet.create("host-a");
  fleet.settle("host-a", settled);
  const coming = fleet.create("host-b");
  const view = fold(fleet.events());
  const upTo = (type: string) => {
    const events = fleet.events();
    return fold(events.slice(0, events.findLastIndex((event) => event.type === type) + 1));
  };

  it("find a machine with its host and its state", () => {
    expect(findMachine(view, settled)).toMatchObject({
      hostId: "host-a",
      epoch: 1,
      machine: { state: "started" },
    });
    expect(findMachine(view, "nobody")).toBeUndefined();
    expect(findMachineByName(view, "hello", `m-${settled}`)?.machineId).toBe(settled);
    expect(findMachineByName(view, "hello", "none")).toBeUndefined();
  });

  it("find a machine that only its placement tells of", () => {
    const early = upTo("PlacementDecided");
    expect(findMachine(early, coming)).toMatchObject({ hostId: "host-b", epoch: 1 });
    expect(findMachine(early, coming)?.machine).toBeUndefined();
    expect(listMachines(early, "hello").map(({ machineId }) => machineId)).toEqual([settled, coming]);
  });

  it("find a machine that CONTROL has not told of yet", () => {
    const hosts = fold(fleet.events().filter((event) => event.log !== fleet.controlLog));
    expect(findMachine(hosts, settled)).toMatchObject({ hostId: "host-a", machine: { id: settled } });
    expect(listMachines(hosts, "hello")).toHaveLength(2);
  });

  it("list an app's machines only", () => {
    expect(listMachines(view, "hello").map(({ machineId }) => machineId)).toEqual([settled, coming]);
    expect(listMachines(view, "other")).toEqual([]);
  });

  it("tell a machine's history with the state after each event", () => {
    const history = machineHistory(view, settled).map(({ type, state }) => `${type} ${state}`);
    expect(history).toEqual([
      "MachineCreating creating",
      "MachineCreated created",
      "MachineStarting starting",
      "MachineStarted started",
    ]);
  });

  it("keep the latest of a long history only", () => {
    const busy = new SimulatedFleet(6);
    busy.join("host-a");
    const machineId = busy.create("host-a");
    for (let round = 0; round < 40; round += 1) {
      busy.settle("host-a", machineId);
      busy.command("host-a", machineId, { type: "StopMachine", origin: "user" });
      busy.settle("host-a", machineId);
      busy.command("host-a", machineId, { type: "StartMachine", origin: "user" });
    }
    const history = machineHistory(fold(busy.events()), machineId);
    expect(history).toHaveLength(HISTORY_LENGTH);
    expect(history.at(-1)).toMatchObject({ type: "MachineStarting", origin: "user" });
  });

  it("follow a host into its new log, and carry the history over", () => {
    fleet.replaceLog("host-a");
    fleet.command("host-a", settled, { type: "StopMachine", origin: "user" });
    const after = fold(fleet.events());
    expect(findMachine(after, settled)).toMatchObject({ hostId: "host-a", machine: { state: "stopping" } });
    // CONTROL may tell of the new log later than the log itself does.
    const early = fold(fleet.events().filter((event) => event !== fleet.logs.get(fleet.controlLog)!.at(-1)));
    expect(findMachine(early, settled)).toMatchObject({ machine: { state: "stopping" } });
    expect(listHosts(after)).toHaveLength(2);
    expect(findHost(after, "host-a")?.logId).toBe(fleet.host("host-a").logId);
    expect(
      machineHistory(after, settled)
        .map(({ type }) => type)
        .slice(-2),
    ).toEqual(["MachineStarted", "MachineStopping"]);
  });
});
