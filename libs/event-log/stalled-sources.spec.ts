import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { encodeEvent, subjects } from "#contracts";
import { HybridClock, SystemClock, SystemIds } from "#kernel";
import { startTopology, type TestBusSettings, type Topology } from "#testing";
import { sourceDelivery } from "#topology";
import { FleetReconciler } from "./fleet-reconciler.ts";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import { StalledSources } from "./stalled-sources.ts";
import { FLEET, hostStream } from "./stream-names.ts";

const HOST = "host-a";
const STREAM = hostStream(HOST, "L1");
const clock = new SystemClock();
const ids = new SystemIds(clock);

let topology: Topology;
let scheduler: NatsConnection;
let agent: NatsConnection;
let appended = 0;
let resumed: string[] = [];
let stopped: AbortController;
let running: Promise<void>;

async function connectAs({ servers, seed, user }: TestBusSettings): Promise<NatsConnection> {
  return connect({
    servers: [...servers],
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
    inboxPrefix: subjects.inbox(user),
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
  });
}

async function register(): Promise<void> {
  const id = ids.ulid();
  const header = { id, version: 1, clock: new HybridClock(clock).tick(), actor: "test" };
  const about = { hostId: HOST, region: "local", logId: "L1", stream: STREAM, domain: HOST };
  const event = {
    type: "HostRegistered" as const,
    data: { ...about, registeredAtMs: 1 },
    subject: subjects.control("host", HOST),
    header: { ...header, causationId: id, correlationId: id },
  };
  const encoded = encodeEvent(event, { log: await controlLogId(scheduler) });
  const all = headers();
  for (const [name, value] of Object.entries(encoded.headers)) all.set(name, value);
  await jetstream(scheduler).publish(encoded.subject, encoded.body, { headers: all });
}

/** Until it is acknowledged: the server may just be coming back. The message id makes a repeat harmless. */
async function append(): Promise<void> {
  appended += 1;
  const once = () =>
    jetstream(agent)
      .publish(subjects.host(HOST), `${appended}`, { msgID: `${appended}`, timeout: 500 })
      .then(
        () => true,
        () => false,
      );
  while (!(await once()));
}

async function held(): Promise<number> {
  const jsm = await jetstreamManager(scheduler, { checkAPI: false });
  return jsm.streams.info(FLEET).then(
    (info) => info.state.messages,
    () => 0,
  );
}

async function allArrived(): Promise<void> {
  while ((await held()) < appended) await clock.sleep(50);
}

beforeEach(async () => {
  topology = await startTopology({ hosts: [HOST] });
  scheduler = await connectAs(topology.bus("scheduler"));
  agent = await connectAs(topology.hosts.get(HOST)!.bus);
  await (await jetstreamManager(agent)).streams.add({ name: STREAM, subjects: [subjects.hostLog(HOST)] });
  await ensureHubStreams(scheduler, ids);
  await register();
  const reconciler = new FleetReconciler(scheduler, { clock, deliveryOf: sourceDelivery });
  await reconciler.reconcile();
  appended = 0;
  resumed = [];
  stopped = new AbortController();
  const onResumed = (streams: readonly string[]) => void resumed.push(...streams);
  running = new StalledSources({ nc: scheduler, reconciler, clock, onResumed }).run(stopped.signal);
  await append();
  await allArrived();
});
afterEach(async () => {
  stopped.abort();
  await running;
  await Promise.all([scheduler.close(), agent.close()]);
  await topology.stop();
});

/** An agent says every second that it is there. */
function announce(): NodeJS.Timeout {
  return setInterval(() => agent.publish(subjects.live(HOST), ""), 200);
}

describe("StalledSources", () => {
  it.each([
    ["hub", () => topology.hub.restart()],
    ["leaf", () => topology.hosts.get(HOST)!.leaf.restart()],
  ])(
    "goes on with a host that is back after its %s was killed; each event once, in order",
    async (_, kill) => {
      const announcing = announce();
      try {
        await kill();
        for (let count = 0; count < 20; count += 1) await append();
        await allArrived();
      } finally {
        clearInterval(announcing);
      }
      const jsm = await jetstreamManager(scheduler, { checkAPI: false });
      const bodies: string[] = [];
      for (let seq = 1; seq <= appended; seq += 1) {
        bodies.push((await jsm.streams.getMessage(FLEET, { seq }))!.string());
      }
      expect(bodies).toEqual(Array.from({ length: appended }, (_value, index) => `${index + 1}`));
      expect(await held()).toBe(appended);
    },
    90_000,
  );

  it("sources a stream anew when its host is there and it stands still, and not before", async () => {
    await topology.hosts.get(HOST)!.leaf.restart();
    // Nobody is heard: the link may be down, and there is nothing to go on with.
    await clock.sleep(4_000);
    expect(resumed).toEqual([]);
    const announcing = announce();
    while (resumed.length === 0) await clock.sleep(50);
    clearInterval(announcing);
    expect(resumed).toEqual([STREAM]);
  }, 90_000);
});
