import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectBus } from "#bus";
import { subjects } from "#contracts";
import { leafText, type NatsServer, type NatsServerPlace, startNatsServer } from "#testing";
import { agentUser, leafUser, mintCredential } from "./credentials.ts";
import { sourceDelivery } from "./permissions.ts";

/** A hub that was configured without a single permission, and one who may do everything there. */
const link = mintCredential(leafUser("a"));
const agent = mintCredential(agentUser("a"));
const intruder = mintCredential("api");
const STREAM = "HOST_a_L1";

let hub: NatsServer;
let leaf: NatsServer;
let outside: NatsConnection;
let inside: NatsConnection;
let log: JetStreamManager;

function openHub(place: NatsServerPlace): string {
  const users = [link, intruder].map(({ publicKey }) => `{ nkey: ${publicKey} }`).join(", ");
  return `server_name: hub
listen: "127.0.0.1:${place.port}"
http: "127.0.0.1:${place.monitorPort}"
jetstream { domain: hub, store_dir: ${JSON.stringify(place.storeDir)}, sync_interval: always }
leafnodes { listen: "127.0.0.1:${place.leafPort}" }
accounts { DROVER { jetstream: enabled, users: [${users}] } }
`;
}

beforeAll(async () => {
  hub = await startNatsServer(openHub);
  leaf = await startNatsServer((place) =>
    leafText(place, hub, { hostId: "a", region: "local", agent, link }),
  );
  outside = await connectBus({ servers: [hub.url], user: "api", seed: intruder.seed, name: "intruder" });
  inside = await connectBus({ servers: [leaf.url], user: agent.user, seed: agent.seed, name: "agent" });
  log = await jetstreamManager(inside);
  await log.streams.add({ name: STREAM, subjects: [subjects.hostLog("a")] });
  await jetstream(inside).publish(subjects.host("a"), "first");
  inside.subscribe(subjects.hostCommand("a", "get"), {
    callback: (_error, message) => void message.respond("ok"),
  });
  await throughTheLink();
});
afterAll(async () => {
  await Promise.all([outside.close(), inside.close()]);
  await Promise.all([hub.stop(), leaf.stop()]);
});

async function throughTheLink(): Promise<void> {
  const ask = () => outside.request(subjects.hostCommand("a", "get"), "?", { timeout: 500 });
  while ((await ask().catch(() => undefined)) === undefined);
}

describe("a leaf whose hub lets everybody do everything", () => {
  it("still lets nobody from outside append to its log or manage it", async () => {
    outside.publish(subjects.host("a"), "forged");
    const calls = [
      ["STREAM.PURGE", ""],
      ["STREAM.DELETE", ""],
      ["STREAM.UPDATE", JSON.stringify({ name: STREAM, subjects: [subjects.hostLog("a")], max_msgs: 1 })],
      ["STREAM.MSG.DELETE", JSON.stringify({ seq: 1 })],
      ["STREAM.MSG.GET", JSON.stringify({ seq: 1 })],
      ["DIRECT.GET", JSON.stringify({ seq: 1 })],
      ["STREAM.INFO", ""],
      ["CONSUMER.LIST", ""],
    ];
    for (const [call, body] of calls) {
      const asked = outside.request(`$JS.a.API.${call}.${STREAM}`, body, { timeout: 5_000 });
      await expect(asked).rejects.toThrow("no responders");
    }
    await throughTheLink();
    const { state, config } = await log.streams.info(STREAM);
    expect(state).toMatchObject({ messages: 1, last_seq: 1 });
    expect(config.max_msgs).toBe(-1);
  });

  it("still is sourced by the hub, and only so do its events get there", async () => {
    const heard: string[] = [];
    outside.subscribe("evt.>", { callback: (_error, message) => void heard.push(message.subject) });
    await outside.flush();
    await throughTheLink();
    await jetstream(inside).publish(subjects.host("a"), "second");
    const atHub = await jetstreamManager(outside);
    const external = { api: "$JS.a.API", deliver: sourceDelivery("a") };
    await atHub.streams.add({ name: "FLEET", sources: [{ name: STREAM, external }] });
    while ((await atHub.streams.info("FLEET")).state.messages < 2) await throughTheLink();
    expect(heard).toEqual([]);
  });
});
