import { existsSync } from "node:fs";
import { afterEach, describe, expect, it } from "@jest/globals";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, openConfig, startNatsServer } from "./nats-server.ts";

const started: NatsServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function start(): Promise<NatsServer> {
  const server = await startNatsServer();
  started.push(server);
  return server;
}

async function echoes(server: NatsServer): Promise<string> {
  const connection = await connect({ servers: server.url, reconnect: false });
  connection.subscribe("echo", {
    callback: (_error, message) => {
      message.respond(message.data);
    },
  });
  const answer = await connection.request("echo", "hello", { timeout: 5_000 });
  await connection.close();
  return answer.string();
}

describe("startNatsServer", () => {
  it("is ready when it resolves, and again after a kill and a restart on the same port", async () => {
    const server = await start();
    expect(await echoes(server)).toBe("hello");
    const first = server.pid;
    await server.kill();
    await expect(echoes(server)).rejects.toThrow();
    await server.restart();
    expect(server.pid).not.toBe(first);
    expect(await echoes(server)).toBe("hello");
  });

  it("takes over a new configuration without losing its process", async () => {
    const server = await start();
    const before = server.pid;
    await server.reload(`${openConfig(server)}max_payload: 2048\n`);
    expect(server.pid).toBe(before);
    const connection = await connect({ servers: server.url, reconnect: false });
    expect(connection.info?.max_payload).toBe(2048);
    await connection.close();
  });

  it("says why a configuration does not start", async () => {
    await expect(startNatsServer(() => "nonsense {")).rejects.toThrow(/Parse error/);
  });

  it("removes its folder", async () => {
    const server = await startNatsServer();
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
  });
});
