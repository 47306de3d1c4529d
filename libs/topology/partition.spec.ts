import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { BusClient, connectBus } from "#bus";
import { call, subjects } from "#contracts";
import { SystemClock, SystemIds } from "#kernel";
import { startTopology, type Topology } from "#testing";
import { sourceDelivery } from "./permissions.ts";

const STREAM = "HOST_a_L1";
const SOURCE = { name: STREAM, external: { api: "$JS.a.API", deliver: sourceDelivery("a") } };
const ping = call("get", z.object({}), z.object({ hostId: z.string() }));
const ids = new SystemIds(new SystemClock());

let topology: Topology;
let scheduler: NatsConnection;
let agent: NatsConnection;
let api: NatsConnection;
let client: BusClient;
let hub: JetStreamManager;
let appended = 0;
const live: string[] = [];

beforeAll(async () => {
  topology = await startTopology({ hosts: ["a"] });
  agent = await connectBus(topology.hosts.get("a")!.bus);
  api = await connectBus(topology.bus("api"));
  client = new BusClient(api, ids);
  scheduler = await connectBus(topology.bus("scheduler"));
  await (await jetstreamManager(agent)).streams.add({ name: STREAM, subjects: [subjects.hostLog("a")] });
  hub = await jetstreamManager(scheduler, { checkAPI: false });
  await hub.streams.add({ name: "FLEET", sources: [SOURCE] });
  // As many as an agent has, so that interest lost on the way would show.
  for (const verb of [
    "offer",
    "commit",
    "release",
    "machine",
    "get",
    "inspect",
    "events",
    "logs",
    "cordon",
  ] as const) {
    agent.subscribe(subjects.hostCommand("a", verb), {
      callback: (_error, message) => {
        message.respond(JSON.stringify({ kind: "answer", answer: { hostId: "a" } }));
      },
    });
  }
  api.subscribe(subjects.live("a"), { callback: (_error, message) => void live.push(message.string()) });
});
afterAll(async () => {
  await Promise.all([api, agent, scheduler].map((nc) => nc.close()));
  await topology.stop();
});

/** Until it is acknowledged; the message id makes a repeat harmless. */
async function append(): Promise<void> {
  appended += 1;
  const options = { msgID: `${appended}`, timeout: 1_000 };
  const isAcknowledged = () =>
    jetstream(agent)
      .publish(subjects.host("a"), `${appended}`, options)
      .then(
        () => true,
        () => false,
      );
  while (!(await isAcknowledged()));
}

function meta() {
  const id = ids.ulid();
  return { commandId: id, correlationId: id, causationId: id, actor: "test", deadlineMs: 2_000 };
}

/** Every way across the link works again, in both directions, and the hub has all that was appended. */
async function healed(): Promise<void> {
  await topology.linked();
  for (const verb of ["machine", "get", "cordon"] as const) {
    while ((await client.call(ping, subjects.hostCommand("a", verb), {}, meta())).kind !== "answer");
  }
  const word = ids.ulid();
  while (!live.includes(word)) {
    agent.publish(subjects.live("a"), word);
    await pause();
  }
  // Left alone, a source that found no link when the hub started tries again after 40 s, then ever more rarely; added
  // anew it goes on at once, where it was.
  await hub.streams.update("FLEET", { sources: [] });
  await hub.streams.update("FLEET", { subjects: [], sources: [SOURCE] });
  while ((await hub.streams.info("FLEET")).state.messages < appended) await pause();
}

async function linksOf(monitorUrl: string): Promise<number> {
  return ((await (await fetch(`${monitorUrl}/leafz`)).json()) as { leafnodes: number }).leafnodes;
}

async function pause(): Promise<void> {
  await new Promise((done) => setTimeout(done, 50));
}

async function orderInFleet(): Promise<string[]> {
  const reader = jetstream(api).consumers;
  const { name } = await hub.consumers.add("FLEET", { ack_policy: "none" as const });
  const found: string[] = [];
  for await (const message of await (await reader.get("FLEET", name)).fetch({ max_messages: appended })) {
    found.push(message.string());
  }
  return found;
}

describe("F37: a link that breaks heals by itself", () => {
  it("carries everything", async () => {
    await append();
    await healed();
  });

  it("after the hub was killed; the host went on meanwhile", async () => {
    await topology.hub.kill();
    await append();
    await append();
    await topology.hub.restart();
    await healed();
  }, 60_000);

  it("after the leaf was killed; nothing acknowledged is lost", async () => {
    await topology.hosts.get("a")!.leaf.restart();
    await append();
    await healed();
  }, 60_000);

  it("after the hub hung without a word, and the leaf gave the link up by itself", async () => {
    await topology.hub.kill("SIGSTOP");
    await append();
    while ((await linksOf(topology.hosts.get("a")!.leaf.monitorUrl)) > 0) await pause();
    const refused = await client.call(
      ping,
      subjects.hostCommand("a", "get"),
      {},
      { ...meta(), deadlineMs: 100 },
    );
    expect(refused.kind).toBe("refused");
    await topology.hub.kill("SIGCONT");
    await healed();
  }, 60_000);

  it("each event once, in order", async () => {
    expect(await orderInFleet()).toEqual(Array.from({ length: appended }, (_, index) => `${index + 1}`));
  });
});
