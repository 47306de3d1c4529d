import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { connectBus } from "#bus";
import { subjects } from "#contracts";
import { RawLeaf, startTopology, type Topology } from "#testing";
import { HUB_SERVICES, type HubService } from "./credentials.ts";
import { sourceDelivery } from "./permissions.ts";

/**
 * Host `a` is the victim. Everybody else tries to write, read, manage and impersonate it; what counts is what its
 * log, its agent and the services see afterwards, not what a publish call returned.
 */
const STREAM = "HOST_a_L1";
const SECRET = "for a only";

let topology: Topology;
let agent: NatsConnection;
let scheduler: NatsConnection;
let log: JetStreamManager;
let hub: JetStreamManager;
const opened: NatsConnection[] = [];
/** What reached the services that only host `a` may say. */
const impersonations: string[] = [];
/** What host `b` said by right. */
const saidByB: string[] = [];

async function open(settings: Parameters<typeof connectBus>[0]): Promise<NatsConnection> {
  const nc = await connectBus(settings);
  opened.push(nc);
  return nc;
}

beforeAll(async () => {
  topology = await startTopology({ hosts: ["a", "b"] });
  agent = await open(topology.hosts.get("a")!.bus);
  scheduler = await open(topology.bus("scheduler"));
  log = await jetstreamManager(agent);
  await log.streams.add({ name: STREAM, subjects: [subjects.hostLog("a")] });
  await jetstream(agent).publish(subjects.host("a"), "first");
  agent.subscribe(subjects.hostCommand("a", "offer"), {
    callback: (_error, message) => void message.respond("ok"),
  });
  hub = await jetstreamManager(scheduler, { checkAPI: false });
  await hub.streams.add({ name: "CONTROL", subjects: ["evt.control.>"] });
  const external = { api: "$JS.a.API", deliver: sourceDelivery("a") };
  await hub.streams.add({ name: "FLEET", sources: [{ name: STREAM, external }] });
  await watchForImpersonation();
  await throughTheLink();
});
afterAll(async () => {
  await Promise.all(opened.map((nc) => nc.close()));
  await topology.stop();
});

async function watchForImpersonation(): Promise<void> {
  const api = await open(topology.bus("api"));
  const hear = {
    callback: (_error: unknown, message: { subject: string }) => void impersonations.push(message.subject),
  };
  api.subscribe(subjects.live("a"), hear);
  api.subscribe(subjects.logLines("a", "s1"), hear);
  api.subscribe(subjects.execOutput("a", "e1"), hear);
  // Where JetStream answers the api: no host has business there.
  api.subscribe(`${subjects.inbox("api")}.jetstream.1`, hear);
  scheduler.subscribe(subjects.hostToScheduler("a", "register"), hear);
  api.subscribe(subjects.live("b"), { callback: (_error, message) => void saidByB.push(message.string()) });
  await Promise.all([api.flush(), scheduler.flush()]);
}

/** Has host `b` say something that has to arrive behind everything that it said before. */
async function throughTheLinkOf(b: NatsConnection, word: string): Promise<void> {
  while (!saidByB.includes(word)) {
    b.publish(subjects.live("b"), word);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Asks host `a` on the way that everything from the hub takes: what was sent before has arrived, or never will. */
async function throughTheLink(): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const reply = `${subjects.answers("scheduler")}.barrier${attempt}.${opened.length}`;
    const ask = scheduler.request(subjects.hostCommand("a", "offer"), SECRET, {
      noMux: true,
      reply,
      timeout: 2_000,
    });
    if ((await ask.catch(() => undefined)) !== undefined) return;
  }
}

async function expectUntouched(): Promise<void> {
  await throughTheLink();
  const { state, config } = await log.streams.info(STREAM);
  expect(state).toMatchObject({ messages: 1, first_seq: 1, last_seq: 1, consumer_count: 0 });
  expect(config).toMatchObject({ subjects: [subjects.hostLog("a")], max_msgs: -1 });
  expect((await hub.streams.info("CONTROL")).state.messages).toBe(0);
  expect((await hub.streams.info("FLEET")).state.messages).toBe(1);
  expect(impersonations).toEqual([]);
}

const config = { name: STREAM, subjects: [subjects.hostLog("a")], max_msgs: 1, storage: "file" };
const consumer = { stream_name: STREAM, config: { name: "evil", deliver_subject: "x", ack_policy: "none" } };

/** Everything that would change the victim's log, or let somebody read it behind its back. */
const LOG_ATTACKS: readonly (readonly [string, string])[] = [
  [subjects.host("a"), "forged"],
  [subjects.machine("a", "m1"), "forged"],
  ...["$JS.a.API", "$JS.API", "$JS.hub.API"].flatMap((api): [string, string][] => [
    [`${api}.STREAM.PURGE.${STREAM}`, ""],
    [`${api}.STREAM.DELETE.${STREAM}`, ""],
    [`${api}.STREAM.UPDATE.${STREAM}`, JSON.stringify(config)],
    [`${api}.STREAM.MSG.DELETE.${STREAM}`, JSON.stringify({ seq: 1 })],
    [
      `${api}.STREAM.CREATE.EVIL`,
      JSON.stringify({ ...config, name: "EVIL", subjects: ["evt.>", "cmd.>", "_INBOX.>"] }),
    ],
    [`${api}.CONSUMER.CREATE.${STREAM}.evil`, JSON.stringify(consumer)],
    [`${api}.CONSUMER.DURABLE.CREATE.${STREAM}.evil`, JSON.stringify(consumer)],
    [`${api}.STREAM.PURGE.FLEET`, ""],
    [`${api}.STREAM.DELETE.CONTROL`, ""],
  ]),
];

/** What only host `a` may say to the hub. */
const IMPERSONATIONS = [
  subjects.live("a"),
  subjects.logLines("a", "s1"),
  subjects.execOutput("a", "e1"),
  subjects.hostToScheduler("a", "register"),
  `${sourceDelivery("a")}.x`,
  `${subjects.inbox("api")}.jetstream.1`,
];

/** Reading what is meant for somebody else. The last ones name no victim and hope. */
const LISTENING = [
  subjects.hostCommand("a", "offer"),
  subjects.execInput("a", "e1"),
  "cmd.host.a.>",
  "cmd.host.*.offer",
  `${subjects.inbox("agent-a")}.>`,
  `${subjects.inbox("scheduler")}.>`,
  subjects.hostLog("a"),
  "_INBOX.>",
  "$SYS.>",
  "$JS.>",
  "*.>",
  ">",
];

/** Asked of the system account, which nobody may enter. */
const SYSTEM = ["$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.USER.INFO"];

/** All attacks of one client, whose own inbox begins with `own`. Returns where it heard something. */
async function attackAsClient(nc: NatsConnection, own: string): Promise<string[]> {
  const heard: string[] = [];
  const hear = {
    callback: (error: Error | null, message: { subject: string }) => {
      if (error === null) heard.push(message.subject);
    },
  };
  const reply = `${own}.loot`;
  nc.subscribe(`${own}.>`, hear);
  for (const subject of LISTENING) {
    nc.subscribe(subject, hear);
    nc.subscribe(subject, { ...hear, queue: "thieves" });
  }
  for (const [subject, body] of LOG_ATTACKS) nc.publish(subject, body, { reply });
  for (const subject of [...IMPERSONATIONS, ...SYSTEM]) nc.publish(subject, "forged", { reply });
  await nc.flush();
  await throughTheLink();
  await nc.flush();
  return heard;
}

describe("the watch", () => {
  it("would notice: what host a says itself is heard", async () => {
    agent.publish(subjects.live("a"), "by right");
    while (impersonations.length === 0) await throughTheLink();
    expect(impersonations.splice(0)).toEqual([subjects.live("a")]);
  });
});

describe("from the hub", () => {
  const others = HUB_SERVICES.filter((service) => service !== "scheduler");

  it.each(others)("%s neither writes, reads, manages nor plays host a", async (service) => {
    const nc = await open(topology.bus(service));
    expect(await attackAsClient(nc, subjects.inbox(service))).toEqual([]);
    await expectUntouched();
  });

  it("the scheduler, who may ask hosts and keep hub streams, does none of it to host a", async () => {
    const nc = await open(topology.bus("scheduler"));
    for (const [subject, body] of LOG_ATTACKS) nc.publish(subject, body);
    for (const subject of [subjects.live("a"), `${sourceDelivery("a")}.x`, ...SYSTEM])
      nc.publish(subject, "forged");
    await nc.flush();
    await expectUntouched();
  });

  it.each(HUB_SERVICES)(
    "%s makes no reader of FLEET write where itself may not",
    async (service: HubService) => {
      const nc = await open(topology.bus(service));
      const reader = await jetstreamManager(nc, { checkAPI: false });
      for (const [index, deliver_subject] of [
        subjects.machine("a", "m1"),
        subjects.control("token", "t1"),
      ].entries()) {
        const push = { name: `${service}-${index}`, deliver_subject, ack_policy: "none" as const };
        await reader.consumers.add("FLEET", push).catch(() => undefined);
      }
      await expectUntouched();
    },
  );
});

describe("a host's volumes", () => {
  it("are ordered about by the service volumes alone, and that by the API alone", async () => {
    const order = subjects.hostCommand("a", "volume");
    const heard: string[] = [];
    const hear = (asked: { subject: string; string(): string }) =>
      void heard.push(`${asked.string()} ${asked.subject}`);
    const listeners: [NatsConnection, string][] = [
      [agent, order],
      [agent, subjects.hostCommand("a", "commit-volume")],
      [await open(topology.bus("volumes")), subjects.volumes("destroy")],
      [scheduler, subjects.scheduler("place-volume")],
    ];
    for (const [nc, subject] of listeners) {
      nc.subscribe(subject, { callback: (_error, message) => hear(message) });
      await nc.flush();
    }
    await throughTheLink();
    const askers = [...HUB_SERVICES.map((name) => [name, topology.bus(name)] as const)];
    for (const [name, bus] of [...askers, ["host b", topology.hosts.get("b")!.bus] as const]) {
      const nc = await open(bus);
      for (const [, subject] of listeners) nc.publish(subject, name);
      // The scheduler alone says where volumes are.
      if (name !== "scheduler") nc.publish(subjects.control("volume", "v1"), "forged");
      await nc.flush();
    }
    await expectUntouched();
    expect(heard.sort()).toEqual([
      `api ${subjects.volumes("destroy")}`,
      `scheduler ${subjects.hostCommand("a", "commit-volume")}`,
      `volumes ${order}`,
      `volumes ${subjects.scheduler("place-volume")}`,
    ]);
  });
});

describe("from another host", () => {
  it("its agent neither writes, reads, manages nor plays host a", async () => {
    const nc = await open(topology.hosts.get("b")!.bus);
    // Its own leaf's stream API answers it by right.
    const heard = await attackAsClient(nc, subjects.inbox("agent-b"));
    await throughTheLinkOf(nc, "after the attack");
    expect(new Set(heard)).toEqual(new Set([`${subjects.inbox("agent-b")}.loot`]));
    await expectUntouched();
    // It made a stream there that wants everything, and got what it said itself.
    const { state } = await (await jetstreamManager(nc)).streams.info("EVIL", { subjects_filter: ">" });
    const others = Object.keys(state.subjects ?? {}).filter((subject) => !subject.includes("agent-b"));
    expect(others).toEqual([]);
  });

  /** One connection per attack: the hub cuts the link of whoever tries. */
  async function asLink(attack: (link: RawLeaf) => void): Promise<RawLeaf> {
    const link = await RawLeaf.connect(topology.hub.leafPort, topology.hosts.get("b")!.link);
    attack(link);
    await link.round();
    await throughTheLink();
    await link.round();
    link.close();
    return link;
  }

  it("its link, held by somebody who keeps to no rule, publishes nothing of the kind", async () => {
    const forged = [
      ...LOG_ATTACKS,
      ...[...IMPERSONATIONS, ...SYSTEM].map((subject) => [subject, "forged"] as const),
    ];
    for (const [subject, body] of forged) {
      const link = await asLink((raw) => raw.publish(subject, body, `${subjects.inbox("agent-b")}.loot`));
      expect(link.heard).toContain("Permissions Violation for Publish");
    }
    await expectUntouched();
  }, 60_000);

  it("its link hears nothing that is meant for others", async () => {
    for (const subject of [...LISTENING, ...LISTENING.map((listening) => `${listening} thieves 1`)]) {
      const link = await asLink((raw) => raw.subscribe(subject));
      expect(link.heard).not.toContain(SECRET);
      expect(link.heard).not.toContain("LMSG");
    }
    await expectUntouched();
  }, 60_000);
});

describe("without the right credential", () => {
  const host = (hostId: string) => topology.hosts.get(hostId)!;
  const refused = async (settings: Parameters<typeof connectBus>[0]) =>
    expect(connectBus(settings)).rejects.toMatchObject({ refusal: { code: "unauthorized" } });

  it("a stranger connects to no server", async () => {
    for (const server of [topology.hub, host("a").leaf]) {
      await expect(connect({ servers: server.url, reconnect: false })).rejects.toThrow(/authorization/i);
    }
    const link = await RawLeaf.connect(topology.hub.leafPort).catch((thrown: unknown) => thrown);
    if (link instanceof RawLeaf) expect(link.isClosed).toBe(true);
  });

  it("a key opens only the door that it was made for", async () => {
    await refused({ ...host("b").bus, servers: [host("a").leaf.url] });
    await refused({ ...host("b").bus, servers: [topology.hub.url] });
    await refused({ ...topology.bus("scheduler"), servers: [host("a").leaf.url] });
    await refused({ ...topology.bus("api"), user: "leaf-a", seed: host("a").link.seed });
    const link = await RawLeaf.connect(topology.hub.leafPort, topology.credential("api")).catch(
      () => undefined,
    );
    if (link !== undefined) expect(link.isClosed).toBe(true);
  });

  it("monitors listen on loopback only", async () => {
    for (const server of [topology.hub, host("a").leaf]) expect(server.monitorUrl).toContain("127.0.0.1");
  });
});
