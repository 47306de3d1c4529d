import { afterEach, describe, expect, it } from "@jest/globals";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, type NatsServerPlace, openConfig, startNatsServer } from "#testing";
import { assertSyncedWrites } from "./synced-writes.ts";

const started: NatsServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function start(config: (place: NatsServerPlace) => string = openConfig): Promise<NatsServer> {
  const server = await startNatsServer(config);
  started.push(server);
  return server;
}

async function check(server: NatsServer, monitorUrl = server.monitorUrl, allowUnsafe = false): Promise<void> {
  const nc = await connect({ servers: server.url, reconnect: false });
  try {
    await assertSyncedWrites(nc, monitorUrl, { allowUnsafe });
  } finally {
    await nc.close();
  }
}

describe("F17: assertSyncedWrites", () => {
  it("takes a server that syncs before it acknowledges", async () => {
    await check(await start());
  });

  it("refuses one that syncs now and then, unless told that this is a laptop", async () => {
    const server = await start((place) => openConfig(place).replace("sync_interval: always", ""));
    await expect(check(server)).rejects.toMatchObject({ refusal: { code: "unsupported" } });
    await expect(check(server)).rejects.toThrow("sync_interval");
    await check(server, server.monitorUrl, true);
  });

  it("refuses one without JetStream", async () => {
    const server = await start((place) => openConfig(place).replace(/jetstream .*/, ""));
    await expect(check(server)).rejects.toThrow("without JetStream");
  });

  it("believes only the monitor of the server that it talks to", async () => {
    const [server, other] = await Promise.all([start(), start()]);
    await expect(check(server, other.monitorUrl)).rejects.toThrow("another server");
  });

  it("says so when the monitor does not answer", async () => {
    const server = await start();
    const closed = `http://127.0.0.1:${server.leafPort}`;
    await expect(check(server, closed)).rejects.toMatchObject({ refusal: { code: "unreachable" } });
  });
});
