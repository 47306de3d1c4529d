import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { encodeEvent, HEADERS, subjects } from "#contracts";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import { cutPort, startTopology, type TestBusSettings, type Topology } from "#testing";
import { sourceDelivery } from "#topology";
import { FleetReconciler } from "./fleet-reconciler.ts";
import type { AskOwner } from "./gap-repair.ts";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import { liveEnd } from "./live-message.ts";
import { Projection } from "./projection.ts";
import { readStream } from "./read-stream.ts";
import { FLEET, hostStream } from "./stream-names.ts";
import { SEEN, type Seen } from "./test-hub.fixture.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
const hybridClock = new HybridClock(clock);
const connections: NatsConnection[] = [];
let topology: Topology;
let scheduler: NatsConnection;

async function connectAs({ servers, seed, user }: TestBusSettings): Promise<NatsConnection> {
  const nc = await connect({
    servers: [...servers],
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
    inboxPrefix: subjects.inbox(user),
    timeout: 2_000,
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
  });
  connections.push(nc);
  return nc;
}

/** A host's agent as far as the log goes. */
class TestAgent {
  readonly hostId: string;
  readonly nc: NatsConnection;
  logId: string;
  readonly eventIds: string[] = [];

  constructor(hostId: string, nc: NatsConnection, logId = "") {
    this.hostId = hostId;
    this.nc = nc;
    this.logId = logId;
  }

  get stream(): string {
    return hostStream(this.hostId, this.logId);
  }

  async openLog(): Promise<void> {
    const jsm = await jetstreamManager(this.nc);
    if (this.logId !== "") {
      await jsm.streams.update(this.stream, { subjects: [`retired.${this.logId}.>`] });
    }
    this.logId = ids.ulid();
    this.eventIds.length = 0;
    await jsm.streams.add({ name: this.stream, subjects: [subjects.hostLog(this.hostId)] });
    await this.register();
  }

  async append(count = 1): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const event = {
        type: "HostAlarmRaised" as const,
        data: { hostId: this.hostId, alarm: "test", message: "m" },
        subject: subjects.host(this.hostId),
        header: header(),
      };
      const place = { log: this.logId, sequence: this.eventIds.length + 1 };
      await publish(this.nc, encodeEvent(event, place));
      this.eventIds.push(event.header.id);
    }
  }

  /** What its agent says on the live feed each second. */
  announceEnd(): void {
    const { headers: carried, body } = liveEnd(this.logId, this.eventIds.length);
    this.nc.publish(subjects.live(this.hostId), body, { headers: carried });
  }

  /** What its agent answers to `hostCalls.events`. */
  readonly answer: AskOwner = async (_hostId, { fromSequence }) => {
    const events = [];
    for await (const { subject, seq, data, headers: carried } of readStream(this.nc, this.stream, {
      fromSequence,
    })) {
      const id = carried?.get(HEADERS.id) ?? "";
      events.push({
        subject,
        headers: { [HEADERS.id]: id },
        body: Buffer.from(data).toString(),
        sequence: seq,
      });
    }
    return { events, lastSequence: this.eventIds.length };
  };

  async register(): Promise<void> {
    const { hostId, logId, stream } = this;
    const event = {
      type: "HostRegistered" as const,
      data: { hostId, region: "local", logId, stream, domain: hostId, registeredAtMs: 1 },
      subject: subjects.control("host", hostId),
      header: header(),
    };
    await publish(scheduler, encodeEvent(event, { log: await controlLogId(scheduler) }));
  }
}

function header() {
  const id = ids.ulid();
  return { id, version: 1, clock: hybridClock.tick(), causationId: id, correlationId: id, actor: "test" };
}

async function publish(nc: NatsConnection, message: ReturnType<typeof encodeEvent>): Promise<void> {
  const all = headers();
  for (const [name, value] of Object.entries(message.headers)) all.set(name, value);
  // Insists: its server may just be coming back. The message id makes repeats harmless.
  for (let attempt = 0; ; attempt += 1) {
    try {
      await jetstream(nc).publish(message.subject, message.body, { headers: all, timeout: 1_000 });
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await clock.sleep(50);
    }
  }
}

async function agent(hostId: string): Promise<TestAgent> {
  const host = topology.hosts.get(hostId)!;
  const made = new TestAgent(hostId, await connectAs(host.bus));
  await made.openLog();
  return made;
}

function reconciler(nc = scheduler): FleetReconciler {
  return new FleetReconciler(nc, { clock, deliveryOf: sourceDelivery });
}

async function sources(): Promise<string[]> {
  const jsm = await jetstreamManager(scheduler);
  return ((await jsm.streams.info(FLEET)).config.sources ?? []).map(({ name }) => name).sort();
}

async function project(askOwner?: AskOwner): Promise<Projection<Seen>> {
  const settings = { nc: await connectAs(topology.bus("api")), clock, fold: SEEN };
  return Projection.start(askOwner === undefined ? settings : { ...settings, askOwner });
}

function reaches(projection: Projection<Seen>, of: TestAgent): Promise<boolean> {
  return projection.waitFor({ [of.logId]: of.eventIds.length }, 60_000);
}

beforeEach(async () => {
  topology = await startTopology({ hosts: ["host-a", "host-b"] });
  scheduler = await connectAs(topology.bus("scheduler"));
  await ensureHubStreams(scheduler, ids);
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((nc) => nc.close()));
  await topology.stop();
});

describe("FleetReconciler", () => {
  it("sources what is registered, and changes nothing where nothing changed", async () => {
    expect(await reconciler().reconcile()).toBe(false);
    const [a, b] = [await agent("host-a"), await agent("host-b")];
    expect(await reconciler().reconcile()).toBe(true);
    expect(await sources()).toEqual([a.stream, b.stream].sort());
    expect(await reconciler().reconcile()).toBe(false);
    await Promise.all([a.append(5), b.append(5)]);
    const projection = await project();
    expect(await reaches(projection, a)).toBe(true);
    expect(await reaches(projection, b)).toBe(true);
    await projection.stop();
  });

  it("loses no host when many join at once and each has it reconciled", async () => {
    const other = await connectAs(topology.bus("scheduler"));
    const joining = Array.from({ length: 8 }, async (_, index) => {
      const joined = new TestAgent(`host-${index}`, scheduler, ids.ulid());
      await joined.register();
      await reconciler(index % 2 === 0 ? scheduler : other).reconcile();
      return joined.stream;
    });
    const joined = await Promise.all(joining);
    expect(await sources()).toEqual(joined.sort());
  });

  it("drops a log that was succeeded; what it brought stays", async () => {
    const a = await agent("host-a");
    await a.append(3);
    await reconciler().reconcile();
    const projection = await project();
    expect(await reaches(projection, a)).toBe(true);
    const [old, before] = [a.logId, [...a.eventIds]];
    await a.openLog();
    await a.append(3);
    await reconciler().reconcile();
    expect(await sources()).toEqual([a.stream]);
    expect(await reaches(projection, a)).toBe(true);
    const fresh = await project();
    expect(await reaches(fresh, a)).toBe(true);
    await fresh.caughtUp;
    for (const { state } of [projection, fresh]) {
      expect(Object.fromEntries(state)).toMatchObject({ [old]: before, [a.logId]: a.eventIds });
    }
    await Promise.all([projection.stop(), fresh.stop()]);
  });
});

describe("F37: a host is cut off from the hub", () => {
  it("by a silent network: it goes on, and on heal all events arrive, in order, once", async () => {
    const a = await agent("host-a");
    await a.append(20);
    await reconciler().reconcile();
    const projection = await project();
    expect(await reaches(projection, a)).toBe(true);
    const heal = await cutPort(topology.hub.leafPort);
    try {
      await a.append(200);
      expect(projection.position()[a.logId]).toBe(20);
    } finally {
      await heal();
    }
    await a.append(20);
    expect(await reaches(projection, a)).toBe(true);
    expect(projection.state.get(a.logId)).toEqual(a.eventIds);
    expect(projection.quarantine.count).toBe(0);
    await projection.stop();
  }, 120_000);

  it("by the hub's death: readers have all events as soon as the host is back, from itself", async () => {
    const a = await agent("host-a");
    await a.append(20);
    await reconciler().reconcile();
    const projection = await project(a.answer);
    expect(await reaches(projection, a)).toBe(true);
    await topology.hub.kill();
    await a.append(200);
    await topology.hub.restart();
    await topology.linked(["host-a"]);
    // FLEET itself goes on up to 40 s later: the hub's question to the leaf was lost, and it waits long for the answer.
    const announcing = setInterval(() => a.announceEnd(), 100);
    expect(await reaches(projection, a)).toBe(true);
    clearInterval(announcing);
    expect(projection.state.get(a.logId)).toEqual(a.eventIds);
    await projection.stop();
  });

  it("by its own leaf's death: nothing that was acked is missing in FLEET afterwards", async () => {
    const a = await agent("host-a");
    await a.append(20);
    await reconciler().reconcile();
    const projection = await project();
    expect(await reaches(projection, a)).toBe(true);
    await a.append(50);
    await topology.hosts.get("host-a")!.leaf.restart();
    await a.append(20);
    expect(await reaches(projection, a)).toBe(true);
    expect(projection.state.get(a.logId)).toEqual(a.eventIds);
    await projection.stop();
  }, 120_000);
});
