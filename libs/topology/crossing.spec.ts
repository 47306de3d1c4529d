import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectBus } from "#bus";
import { subjects } from "#contracts";
import { startTopology, type Topology } from "#testing";
import { sourceDelivery } from "./permissions.ts";

/** What has to get through: everything else is in attacks.spec.ts. */

let topology: Topology;
let scheduler: NatsConnection;
let api: NatsConnection;
const agents = new Map<string, NatsConnection>();
const opened: NatsConnection[] = [];

async function open(settings: Parameters<typeof connectBus>[0]): Promise<NatsConnection> {
  const nc = await connectBus(settings);
  opened.push(nc);
  return nc;
}

async function openAgent(hostId: string): Promise<NatsConnection> {
  const nc = await open(topology.hosts.get(hostId)!.bus);
  agents.set(hostId, nc);
  return nc;
}

beforeAll(async () => {
  topology = await startTopology({ hosts: ["a", "b"] });
  scheduler = await open(topology.bus("scheduler"));
  api = await open(topology.bus("api"));
  await Promise.all(["a", "b"].map(openAgent));
});
afterAll(async () => {
  await Promise.all(opened.map((nc) => nc.close()));
  await topology.stop();
});

/** Interest takes a moment to cross a link, and nobody tells when it has: asks until somebody answers. */
async function ask(nc: NatsConnection, subject: string): Promise<string> {
  for (;;) {
    const reply = `${subjects.answers(nc === api ? "api" : "scheduler")}.t${Math.trunc(performance.now() * 1e3)}.1`;
    const options = nc === api || nc === scheduler ? { reply, noMux: true, timeout: 500 } : { timeout: 500 };
    const answer = await nc.request(subject, "?", options).catch(() => undefined);
    if (answer !== undefined) return answer.string();
  }
}

function answers(nc: NatsConnection, subject: string, text: string): void {
  nc.subscribe(subject, {
    callback: (_error, message) => {
      message.respond(text);
    },
  });
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 20));
}

describe("across the links", () => {
  it("services ask a host, and it answers", async () => {
    answers(agents.get("a")!, subjects.hostCommand("a", "get"), "a here");
    expect(await ask(api, subjects.hostCommand("a", "get"))).toBe("a here");
    expect(await ask(scheduler, subjects.hostCommand("a", "get"))).toBe("a here");
  });

  it("a request for bids reaches every host of the region, and each answers", async () => {
    for (const [hostId, nc] of agents) answers(nc, subjects.bid("local"), hostId);
    const heard = new Set<string>();
    const reply = `${subjects.answers("scheduler")}.bids`;
    scheduler.subscribe(reply, {
      callback: (_error, message) => {
        // Empty is what the server says while nobody listens.
        if (message.data.length > 0) heard.add(message.string());
      },
    });
    await until(() => {
      scheduler.publish(subjects.bid("local"), "?", { reply });
      return heard.size === 2;
    });
    expect([...heard].sort()).toEqual(["a", "b"]);
  });

  it("a host calls the scheduler in its own name", async () => {
    answers(scheduler, subjects.hostToScheduler("*", "register"), "welcome");
    expect(await ask(agents.get("b")!, subjects.hostToScheduler("b", "register"))).toBe("welcome");
  });

  it("live feeds and log lines of all hosts reach the services", async () => {
    const heard = new Set<string>();
    const hear = {
      callback: (_error: unknown, message: { subject: string }) => void heard.add(message.subject),
    };
    api.subscribe(subjects.live("*"), hear);
    // Each by its own name: interest in `logs.host.*.*` does not cross a link that allows `logs.host.a.*`.
    for (const hostId of agents.keys()) api.subscribe(subjects.logLines(hostId, "s1"), hear);
    await until(() => {
      for (const [hostId, nc] of agents) {
        nc.publish(subjects.live(hostId), "x");
        nc.publish(subjects.logLines(hostId, "s1"), "x");
      }
      return heard.size === 4;
    });
    expect([...heard].sort()).toEqual(["live.host.a", "live.host.b", "logs.host.a.s1", "logs.host.b.s1"]);
  });
});

describe("JetStream", () => {
  let hub: JetStreamManager;
  const fleet = async () => (await hub.streams.info("FLEET")).state.messages;
  const source = (hostId: string) => ({
    name: `HOST_${hostId}_L1`,
    external: { api: `$JS.${hostId}.API`, deliver: sourceDelivery(hostId) },
  });

  beforeAll(async () => {
    hub = await jetstreamManager(scheduler, { checkAPI: false });
  });

  it("an agent keeps its log on its own leaf", async () => {
    for (const [hostId, nc] of agents) {
      const leaf = await jetstreamManager(nc);
      await leaf.streams.add({ name: `HOST_${hostId}_L1`, subjects: [subjects.hostLog(hostId)] });
      await jetstream(nc).publish(subjects.host(hostId), "first");
    }
  });

  it("the hub sources every log, and the services read it", async () => {
    await hub.streams.add({ name: "FLEET", sources: ["a", "b"].map(source) });
    await until(async () => (await fleet()) === 2);
    const reader = await jetstreamManager(api, { checkAPI: false });
    const { name } = await reader.consumers.add("FLEET", { ack_policy: "none" as never });
    const consumer = await jetstream(api, {}).consumers.get("FLEET", name);
    const read: string[] = [];
    for await (const message of await consumer.fetch({ max_messages: 2 })) read.push(message.subject);
    expect(read.sort()).toEqual([subjects.host("a"), subjects.host("b")]);
    await consumer.delete();
  });

  it("CONTROL takes what each service may append", async () => {
    await hub.streams.add({ name: "CONTROL", subjects: ["evt.control.>"] });
    await jetstream(api).publish(subjects.control("app", "hello"), "x");
    await jetstream(scheduler).publish(subjects.control("machine", "m1"), "x");
    expect((await hub.streams.info("CONTROL")).state.messages).toBe(2);
  });

  it("a host joins while all others go on", async () => {
    const before = (await (await fetch(`${topology.hub.monitorUrl}/leafz`)).json()) as {
      leafs: { id: number }[];
    };
    await topology.join("c");
    const after = (await (await fetch(`${topology.hub.monitorUrl}/leafz`)).json()) as {
      leafs: { id: number }[];
    };
    const ids = new Set(after.leafs.map(({ id }) => id));
    expect(before.leafs.every(({ id }) => ids.has(id))).toBe(true);
    const nc = await openAgent("c");
    await (await jetstreamManager(nc)).streams.add({ name: "HOST_c_L1", subjects: [subjects.hostLog("c")] });
    await jetstream(nc).publish(subjects.host("c"), "first");
    await hub.streams.update("FLEET", { sources: ["a", "b", "c"].map(source) });
    await until(async () => (await fleet()) === 3);
  });
});
