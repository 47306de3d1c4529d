import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { type EventPlace, encodeEvent, type RecordedEvent, subjects } from "#contracts";
import { ensureHubStreams, FLEET, FleetReconciler, hostStream, hostsWithHistory } from "#event-log";
import { emptyFleet, evolveFleet, findMachine, fleetHash, listHosts, upTo } from "#fleet";
import { type Position, SeededIds, SystemClock, wallMsOf } from "#kernel";
import { SimulatedFleet, startTopology, type TestBusSettings, type Topology } from "#testing";
import { sourceDelivery } from "#topology";
import type { Stretch } from "./history.ts";
import { HubHistory } from "./hub-history.ts";
import { Timeline } from "./timeline.ts";

const HOSTS = ["host-a", "host-b"];
const clock = new SystemClock();
const connections: NatsConnection[] = [];
let topology: Topology;
let fleet: SimulatedFleet;
let machineId: string;
let events: RecordedEvent[];
/** The user `cli`, who may read and nothing else. */
let cli: NatsConnection;

/** CONTROL under test gets the log id of the simulated one. */
class KnownLogId extends SeededIds {
  override ulid(): string {
    return fleet.controlLog;
  }
}

async function connectAs({ servers, seed, user }: TestBusSettings): Promise<NatsConnection> {
  const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
  const nc = await connect({ servers: [...servers], authenticator, inboxPrefix: subjects.inbox(user) });
  connections.push(nc);
  return nc;
}

/** Two hosts' ordinary days: several machines, started, stopped and destroyed in turn. */
function history(): SimulatedFleet {
  const lived = new SimulatedFleet(11);
  for (const hostId of HOSTS) lived.join(hostId);
  const machines: [string, string][] = [];
  for (let day = 0; day < 12; day += 1) {
    const hostId = HOSTS[day % 2]!;
    machines.push([hostId, lived.create(hostId)]);
    for (const [host, id] of machines) {
      for (let steps = 0; steps < 4; steps += 1) lived.step(host, id);
      lived.clock.jump(700);
      if (lived.ids.random() < 0.3) lived.command(host, id, { type: "StopMachine", origin: "user" });
    }
  }
  for (const [host, id] of machines.slice(4, 8)) {
    lived.command(host, id, { type: "DestroyMachine", origin: "user", force: true });
    lived.settle(host, id);
  }
  return lived;
}

async function append(nc: NatsConnection, event: RecordedEvent, place: EventPlace): Promise<void> {
  const message = encodeEvent(event, place);
  const carried = headers();
  for (const [name, value] of Object.entries(message.headers)) carried.set(name, value);
  await jetstream(nc).publish(message.subject, message.body, { headers: carried });
}

/** CONTROL, each event by the service that may write it. */
async function appendControl(api: NatsConnection, scheduler: NatsConnection): Promise<void> {
  for (const event of fleet.logs.get(fleet.controlLog)!) {
    const isSchedulers = /^evt\.control\.(machine|host)\./.test(event.subject);
    await append(isSchedulers ? scheduler : api, event, { log: event.log });
  }
}

async function appendHost(agent: NatsConnection, hostId: string): Promise<void> {
  const { logId } = fleet.host(hostId);
  const jsm = await jetstreamManager(agent);
  await jsm.streams.add({ name: hostStream(hostId, logId), subjects: [subjects.hostLog(hostId)] });
  for (const event of fleet.logs.get(logId)!) {
    await append(agent, event, { log: logId, sequence: event.sequence });
  }
}

const failLoudly = (place: string, reason: string): void => {
  throw new Error(`${place} ${reason}`);
};

function timelineOf(onUnreadable = failLoudly): Timeline {
  return new Timeline({ history: new HubHistory(cli, onUnreadable), onUnreadable });
}

async function replayed(stretch: Stretch = {}): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = [];
  for await (const batch of timelineOf().history.ordered(stretch)) all.push(...batch);
  return all;
}

function places(of: readonly RecordedEvent[]): string[] {
  return of.map(({ log, sequence, type }) => `${log}:${sequence} ${type}`);
}

function positionOf(of: readonly RecordedEvent[]): Position {
  return Object.fromEntries(of.map(({ log, sequence }) => [log, sequence]));
}

function hashOf(of: readonly RecordedEvent[]): string {
  return fleetHash(of.reduce(evolveFleet, emptyFleet()));
}

beforeAll(async () => {
  fleet = history();
  events = fleet.events();
  machineId = fleet.machines("host-a")[0]!.id;
  topology = await startTopology({ hosts: HOSTS });
  const scheduler = await connectAs(topology.bus("scheduler"));
  await ensureHubStreams(scheduler, new KnownLogId(fleet.clock, 1));
  await appendControl(await connectAs(topology.bus("api")), scheduler);
  for (const hostId of HOSTS) {
    await appendHost(await connectAs(topology.hosts.get(hostId)!.bus), hostId);
  }
  await new FleetReconciler(scheduler, { clock, deliveryOf: sourceDelivery }).reconcile();
  cli = await connectAs(topology.bus("cli"));
  const jsm = await jetstreamManager(cli);
  const wanted = events.filter(({ log }) => log !== fleet.controlLog).length;
  while ((await jsm.streams.info(FLEET)).state.messages < wanted) await clock.sleep(50);
}, 120_000);
afterAll(async () => {
  await Promise.all(connections.map((nc) => nc.close()));
  await topology.stop();
});

describe("events of a hub, in order", () => {
  it("are everything in the order in which it was decided, across hosts", async () => {
    expect(await hostsWithHistory(cli)).toEqual(HOSTS);
    const all = await replayed();
    expect(places(all)).toEqual(places(events));
    expect(all.map(({ header }) => header)).toEqual(events.map(({ header }) => header));
  });

  it("are those of one host, of one machine", async () => {
    const about = (event: RecordedEvent) => "machineId" in event.data && event.data.machineId === machineId;
    const [, ofA] = [...fleet.logs.values()];
    expect(places(await replayed({ hostId: "host-a" }))).toEqual(places(ofA!));
    expect(places(await replayed({ machineId }))).toEqual(places(events.filter(about)));
  });

  it("are those between two moments of any kind", async () => {
    const timeline = timelineOf();
    const [from, to] = [40, 90];
    const [first, last] = [events[from]!, events[to]!];
    const between = places(events.slice(from + 1, to + 1));
    const since = await timeline.position((await timeline.momentOf(first.header.id))!);
    const until = (await timeline.momentOf(last.header.id))!;
    expect(places(await replayed({ after: since, until }))).toEqual(between);
    const position = positionOf(events.slice(0, to + 1));
    expect(places(await replayed({ after: since, until: { kind: "position", position } }))).toEqual(between);
    const atMs = wallMsOf(last.header.clock);
    const inTime = events.slice(from + 1).filter(({ header }) => wallMsOf(header.clock) <= atMs);
    expect(places(await replayed({ after: since, until: { kind: "time", atMs } }))).toEqual(places(inTime));
  });
});

describe("the world at a moment", () => {
  it("is the fold of everything up to a position, a time, an event", async () => {
    const timeline = timelineOf();
    for (const at of [0, 33, 120, events.length - 1]) {
      const upToHere = events.slice(0, at + 1);
      const position = positionOf(upToHere);
      const byPosition = await timeline.at({ kind: "position", position });
      expect(fleetHash(byPosition.view)).toBe(hashOf(upToHere));
      expect(byPosition.position).toEqual(position);
      const moment = await timeline.momentOf(events[at]!.header.id);
      const byEvent = await timeline.at(moment!);
      expect(byEvent.position).toEqual(position);
      const atMs = wallMsOf(events[at]!.header.clock);
      const byTime = await timeline.at({ kind: "time", atMs });
      expect(fleetHash(byTime.view)).toBe(
        hashOf(events.filter(({ header }) => wallMsOf(header.clock) <= atMs)),
      );
    }
  });

  it("knows no event that is not there", async () => {
    expect(await timelineOf().momentOf("01JD0000000000000000000000")).toBeUndefined();
  });

  it("is now what the hosts themselves think", async () => {
    const { view } = await timelineOf().at({ kind: "now" });
    expect(listHosts(view)).toEqual(HOSTS.map((hostId) => fleet.host(hostId)));
    expect(findMachine(view, machineId)).toMatchObject({ machineId });
  });

  it("F10: tells what could not be read, and goes on", async () => {
    const scheduler = await connectAs(topology.bus("scheduler"));
    await jetstream(scheduler).publish(subjects.control("machine", "x"), "gibberish");
    const bad: string[] = [];
    const timeline = timelineOf((place, reason) => void bad.push(`${place} ${reason}`));
    const { view } = await timeline.at({ kind: "now" });
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatch(/:\d+ foreign/);
    expect(fleetHash(view)).toBe(hashOf(events));
  });
});

describe("F20: upTo", () => {
  it("never leaves out an event and takes a later one of the same log, however its clock jumps", () => {
    const at = (sequence: number, ms: number) => ({
      ...events[0]!,
      log: "l",
      sequence,
      header: { ...events[0]!.header, clock: `${ms}`.padStart(12, "0") },
    });
    const counts = upTo({ kind: "time", atMs: 0x10 });
    expect([at(1, 5), at(2, 99), at(3, 5)].map(counts)).toEqual([true, false, false]);
  });
});
