import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { SystemClock, SystemIds } from "#kernel";
import { type NatsServer, startNatsServer } from "#testing";
import { controlLogId, ensureHubStreams } from "./hub-streams.ts";
import { CONTROL, FLEET, TRACES } from "./stream-names.ts";

const ids = new SystemIds(new SystemClock());
let server: NatsServer;
let nc: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  nc = await connect({ servers: server.url });
});
afterAll(async () => {
  await nc.close();
  await server.stop();
});

describe("ensureHubStreams", () => {
  it("lets several processes create them at once, with one log id", async () => {
    await Promise.all([1, 2, 3, 4].map(() => ensureHubStreams(nc, ids)));
    const logId = await controlLogId(nc);
    await ensureHubStreams(nc, ids);
    expect(await controlLogId(nc)).toBe(logId);
  });

  it("F44: keeps no more traces than fit, the oldest go first", async () => {
    const { config } = await (await jetstreamManager(nc)).streams.info(TRACES);
    expect(config).toMatchObject({ discard: "old", max_bytes: 256 * 1024 * 1024, max_age: 7 * 86_400e9 });
  });

  it.each([CONTROL, FLEET])("lets nobody delete from or purge %s", async (stream) => {
    const jsm = await jetstreamManager(nc);
    await jetstreamManager(nc);
    await expect(jsm.streams.purge(stream)).rejects.toThrow(/purge not permitted/);
    await expect(jsm.streams.deleteMessage(stream, 1)).rejects.toThrow(/delete not permitted/);
  });
});
