import { describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { formatHybridTime, wallMsOf } from "#kernel";
import { SimulatedFleet } from "#testing";
import { bisect } from "../bisect.ts";
import { timelineOf } from "../fleets.fixture.ts";
import { invariantOf } from "../invariant-of.ts";
import { verify } from "../verify.ts";

type DataOf<T extends RecordedEvent["type"]> = Extract<RecordedEvent, { type: T }>["data"];

/** A host with one machine that runs, and what came of it. */
function lived(): { fleet: SimulatedFleet; machineId: string } {
  const fleet = new SimulatedFleet(9);
  for (const hostId of ["h1", "h2"]) fleet.join(hostId);
  const machineId = fleet.create("h1");
  fleet.settle("h1", machineId);
  return { fleet, machineId };
}

/** The last event of a type, saying something else. */
function edited<T extends RecordedEvent["type"]>(
  events: readonly RecordedEvent[],
  type: T,
  data: Partial<DataOf<T>>,
): RecordedEvent[] {
  const last = events.findLast((event) => event.type === type);
  return events.map((event) => {
    return event === last ? ({ ...event, data: { ...event.data, ...data } } as RecordedEvent) : event;
  });
}

/** An event once more, at the end of a log. */
function appended(
  events: readonly RecordedEvent[],
  event: RecordedEvent,
  like: RecordedEvent,
): RecordedEvent[] {
  const last = events.findLast(({ log }) => log === like.log)!;
  const [, kind, hostId] = last.subject.split(".");
  const subject =
    kind === "host" ? event.subject.replace(/^evt\.host\.[^.]+/, `evt.host.${hostId}`) : event.subject;
  const header = {
    ...event.header,
    id: `${event.header.id.slice(0, -4)}ZZZZ`,
    clock: events.at(-1)!.header.clock,
  };
  return [...events, { ...event, subject, header, log: last.log, sequence: last.sequence + 1 }];
}

/** Time goes by, and the host goes about other business. */
function otherBusiness(fleet: SimulatedFleet, minutes: number): void {
  for (let tenth = 0; tenth < minutes * 10; tenth += 1) {
    fleet.clock.jump(6_000);
    fleet.decideHost("h1", { type: "RaiseAlarm", alarm: "disk", message: "nearly full" });
  }
}

async function firstOf(events: readonly RecordedEvent[], name: string) {
  return (await bisect(timelineOf(events), invariantOf(name))).first?.violation;
}

const lastOf = (events: readonly RecordedEvent[], type: RecordedEvent["type"]) =>
  events.findLast((event) => event.type === type)!;

describe("what is wrong with a history", () => {
  it("one-host-per-machine: the same machine is made on a second host", async () => {
    const { fleet, machineId } = lived();
    const events = fleet.events();
    const other = appended(
      events,
      lastOf(events, "MachineCreating"),
      fleet.events().find(({ subject }) => subject.includes(".h2."))!,
    );
    expect(await firstOf(other, "one-host-per-machine")).toMatchObject({
      entity: { kind: "machine", id: machineId },
      message: "hosts h1 and h2 both have it in epoch 1",
      event: { type: "MachineCreating", hostId: "h2" },
    });
    expect((await firstOf(other, "one-place-per-epoch"))?.message).toBe(
      "it is made on h2 in epoch 1, which is that of h1",
    );
  });

  it("epoch-only-grows: a place is decided in an epoch that was before", async () => {
    const { fleet } = lived();
    const events = fleet.events();
    const decided = lastOf(events, "PlacementDecided");
    const later = edited(appended(events, decided, decided), "PlacementDecided", { epoch: 1, hostId: "h1" });
    expect((await firstOf(later, "epoch-only-grows"))?.message).toBe("epoch 1 is decided after epoch 1");
  });

  it("agent-epoch-only-grows: an agent takes over with an epoch that another one had", async () => {
    const { fleet } = lived();
    fleet.decideHost("h1", { type: "ClaimEpoch", agentVersion: "0.1.0", bootId: "boot" });
    const events = edited(fleet.events(), "AgentEpochClaimed", { epoch: 1 });
    expect((await firstOf(events, "agent-epoch-only-grows"))?.message).toBe("agent epoch 1 comes after 1");
  });

  it("states-follow-the-transition-table: a machine that runs is created once more", async () => {
    const { fleet } = lived();
    const events = fleet.events();
    const created = lastOf(events, "MachineCreated");
    const twice = appended(events, created, created);
    expect((await firstOf(twice, "states-follow-the-transition-table"))?.message).toBe(
      "started does not lead to created",
    );
    expect((await firstOf(twice, "operations-take-turns"))?.message).toMatch(
      /^MachineCreated is of operation .*, and none is under way$/,
    );
  });

  it("ports-never-shared: two machines publish one port", async () => {
    const { fleet } = lived();
    const publish = [{ host_port: 8080, machine_port: 80, protocol: "tcp" as const }];
    fleet.create("h1", { config: { image: "registry.local/hello:1", publish } });
    fleet.create("h1", {
      config: { image: "registry.local/hello:1", publish: [{ ...publish[0]!, host_port: 8081 }] },
    });
    const events = fleet.events();
    expect(await firstOf(events, "ports-never-shared")).toBeUndefined();
    const second = lastOf(events, "MachineCreating") as Extract<RecordedEvent, { type: "MachineCreating" }>;
    const shared = edited(events, "MachineCreating", { config: { ...second.data.config, publish } });
    expect((await firstOf(shared, "ports-never-shared"))?.message).toMatch(
      /^port 8080\/tcp is that of machine /,
    );
  });

  it("log-without-gaps: an event is missing", async () => {
    const events = lived().fleet.events();
    const missing = lastOf(events, "MachineCreated");
    const left = events.filter((event) => event !== missing);
    expect(await firstOf(left, "log-without-gaps")).toMatchObject({
      entity: { kind: "host", id: "h1" },
      message: `of log ${missing.log}, ${missing.sequence} is missing`,
    });
  });

  it("clock-sane: a log's clock goes back by more than clocks may differ, and by less", async () => {
    const { fleet } = lived();
    fleet.clock.jump(300_000);
    fleet.decideHost("h1", { type: "RaiseAlarm", alarm: "disk", message: "nearly full" });
    const events = fleet.events();
    const last = events.at(-1)!;
    const back = (ms: number) => {
      const clock = formatHybridTime(wallMsOf(last.header.clock) - ms, 0);
      const next = {
        ...last,
        sequence: last.sequence + 1,
        header: { ...last.header, id: "01JD0000000000000000000009", clock },
      };
      return [...events, next];
    };
    expect(await firstOf(back(59_000), "clock-sane")).toBeUndefined();
    expect((await firstOf(back(61_000), "clock-sane"))?.message).toBe(
      "its clock is 61000 ms before that of the event before it",
    );
  });

  it("every-operation-ends: a step has no outcome for longer than it may take, until it has", async () => {
    const { fleet, machineId } = lived();
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" });
    otherBusiness(fleet, 3);
    fleet.settle("h1", machineId);
    expect(await firstOf(fleet.events(), "every-operation-ends")).toMatchObject({
      entity: { kind: "machine", id: machineId },
      message: expect.stringMatching(
        /^stop .* has no outcome of send-signal since .*, and 10000 ms are its time$/,
      ),
      event: { type: "HostAlarmRaised" },
      healedBy: { type: "StepCompleted" },
    });
  });

  it("every-operation-ends does not count the time in which a host was away or its clock was set (F20)", async () => {
    const { fleet, machineId } = lived();
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" });
    fleet.clock.jump(86_400_000);
    otherBusiness(fleet, 0.5);
    fleet.decideHost("h1", { type: "ClaimEpoch", agentVersion: "0.1.0", bootId: "boot" });
    otherBusiness(fleet, 1);
    fleet.settle("h1", machineId);
    expect(await firstOf(fleet.events(), "every-operation-ends")).toBeUndefined();
  });

  it("leases-respected: a reservation stands beyond its time, until it ends", async () => {
    const { fleet } = lived();
    const reservationId = fleet.ids.ulid();
    const wanted = { reservationId, machineId: fleet.ids.machineId(), appName: "hello", epoch: 1 };
    const resources = { cpuMillis: 62, memoryMib: 256 };
    fleet.decideHost("h1", { type: "ReserveMachine", ...wanted, resources, ports: [], ttlMs: 5_000 });
    otherBusiness(fleet, 3);
    fleet.decideHost("h1", { type: "EndReservation", reservationId, reason: "expired" });
    expect(await firstOf(fleet.events(), "leases-respected")).toMatchObject({
      entity: { kind: "reservation", id: reservationId },
      event: { type: "HostAlarmRaised" },
      healedBy: { type: "ReservationEnded" },
    });
  });

  it("names-unique-per-app: a claim that gives the holder's end as its reason may come before that end by a minute", async () => {
    const { fleet, machineId } = lived();
    const name = `m-${machineId}`;
    const claim = { appName: "hello", name, machineId: fleet.ids.machineId(), atMs: fleet.clock.nowMs() };
    fleet.decideControl({ type: "ClaimMachineName", ...claim, goneHolder: { machineId, isCertain: true } });
    otherBusiness(fleet, 0.5);
    const soon = fleet.events();
    otherBusiness(fleet, 1);
    expect(await firstOf(soon, "names-unique-per-app")).toBeUndefined();
    expect(await firstOf(fleet.events(), "names-unique-per-app")).toMatchObject({
      entity: { kind: "machine", id: claim.machineId },
      event: { type: "MachineNameClaimed" },
    });
  });

  it("no-overcommit: less is there than was promised: no promise is broken, but for a new one", async () => {
    const { fleet } = lived();
    const capacity = { cpuMillis: 62, memoryMib: 100 };
    fleet.decideHost("h1", { type: "MeasureCapacity", capacity, maxMachines: 10, features: [] });
    fleet.create("h1");
    expect(await firstOf(fleet.events(), "no-overcommit")).toBeUndefined();
  });
});

describe("verify", () => {
  it("keeps what healed, and tells it from what is broken still", async () => {
    const { fleet, machineId } = lived();
    fleet.command("h1", machineId, { type: "StopMachine", origin: "user" });
    otherBusiness(fleet, 3);
    const stuck = await verify(timelineOf(fleet.events()));
    fleet.settle("h1", machineId);
    const healed = await verify(timelineOf(fleet.events()));
    const of = (verdict: typeof healed) => verdict.invariants.find(({ violations }) => violations > 0);
    expect(of(stuck)).toMatchObject({ invariant: "every-operation-ends", violations: 1, now: 1 });
    expect(of(healed)).toMatchObject({
      violations: 1,
      now: 0,
      unhealed: 0,
      first: { healedBy: { type: "StepCompleted" } },
    });
  });

  it("looks at what is about one thing alone, and refuses what nothing is told of (F48)", async () => {
    const { fleet, machineId } = lived();
    const other = fleet.create("h2");
    const timeline = timelineOf(fleet.events());
    const invariants = [invariantOf('machine.state != "created"')];
    const of = async (kind: "machine" | "host" | "app", id: string) =>
      (await verify(timeline, { invariants, scope: { kind, id } })).violations.map(({ entity }) => entity.id);
    expect(await of("machine", machineId)).toEqual([machineId]);
    expect(await of("host", "h2")).toEqual([]);
    expect(await of("app", "hello")).toEqual([machineId]);
    await expect(of("machine", other.slice(0, 5))).rejects.toThrow(/no event that was read is about machine/);
  });
});
