import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "@jest/globals";
import { SimulatedClock, SystemClock } from "#kernel";
import type { Asker, MachineConnection } from "./machine-connection.ts";
import { MachineConnections } from "./machine-connections.ts";

/** A program that listens and then sleeps. */
const DEAF = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer();
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

describe("MachineConnections", () => {
  const servers: Server[] = [];
  const all: MachineConnections[] = [];
  afterEach(async () => {
    for (const connections of all.splice(0)) connections.close();
    await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
  });

  async function to(server: Server, connectMs = 1_000): Promise<MachineConnections> {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    servers.push(server);
    const { port } = server.address() as { port: number };
    const connections = new MachineConnections({ host: "127.0.0.1", port }, connectMs, new SystemClock());
    all.push(connections);
    return connections;
  }

  /** One request, to its end; tells whether its connection had been used before. */
  async function ask(connections: MachineConnections): Promise<{ text: string; isReused: boolean }> {
    const connection = await new Promise<MachineConnection>((connected, unconnected) => {
      connections.take({ hasLeft: false, connected, unconnected });
    });
    const isReused = connection.hasRested;
    const text = await new Promise<string>((done, fail) => {
      let body = "";
      const question = { method: "GET", target: "/", headers: ["Host", "app"], body: "none" } as const;
      const listener = {
        informed: fail,
        answered: () => undefined,
        upgraded: fail,
        garbled: fail,
        broken: fail,
      };
      const told = (bytes: Buffer) => {
        body += bytes;
      };
      connection.ask(question, { ...listener, body: told, ended: () => done(body) } satisfies Asker);
    });
    return { text, isReused };
  }

  it("uses a connection again, the one that was used last first, and none that the machine has closed", async () => {
    const sockets: Socket[] = [];
    const server = createServer((_, response) => response.end("ok"));
    server.on("connection", (socket) => sockets.push(socket));
    const connections = await to(server);
    expect(await ask(connections)).toEqual({ text: "ok", isReused: false });
    expect(await ask(connections)).toEqual({ text: "ok", isReused: true });
    await Promise.all([ask(connections), ask(connections)]);
    expect(sockets).toHaveLength(2);
    const closed = sockets.map((socket) => once(socket, "close"));
    for (const socket of sockets) socket.end();
    await Promise.all(closed);
    expect(await ask(connections)).toEqual({ text: "ok", isReused: false });
  });

  it("closes connections that say something unasked, and those that rest when the run is over", async () => {
    const taken: Socket[] = [];
    const server = createTcpServer((socket) => {
      taken.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    });
    const connections = await to(server);
    await ask(connections);
    const closed = once(taken[0]!, "close");
    taken[0]!.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    await closed;
    expect(await ask(connections)).toEqual({ text: "ok", isReused: false });
    const over = once(taken[1]!, "close");
    connections.close();
    await over;
  });

  it("gives many at once a connection each, in their turn", async () => {
    const connections = await to(createServer((_, response) => response.end("ok")));
    const answers = await Promise.all(Array.from({ length: 500 }, () => ask(connections)));
    expect(answers.every(({ text }) => text === "ok")).toBe(true);
  });

  it("passes over whoever left while it waited in line", async () => {
    const waiting: (() => void)[] = [];
    const server = createServer((_, response) => waiting.push(() => response.end("ok")));
    const connections = await to(server);
    const dialled = Array.from({ length: 100 }, () => ask(connections));
    connections.take({
      hasLeft: true,
      connected: () => {
        throw new Error("it has left");
      },
      unconnected: () => undefined,
    });
    const last = ask(connections);
    const serve = setInterval(() => waiting.splice(0).map((answer) => answer()), 5);
    await Promise.all([...dialled, last]);
    clearInterval(serve);
  });

  it("does not wait for ever for a program that takes no connection", async () => {
    const deaf = new Worker(DEAF, { eval: true });
    const [port] = (await once(deaf, "message")) as [number];
    const connections = new MachineConnections({ host: "127.0.0.1", port }, 100, new SystemClock());
    const failed = Promise.withResolvers<string>();
    // The kernel takes a few for a program that sleeps.
    for (let n = 0; n < 5; n += 1) {
      const connected = (connection: MachineConnection) => connection.destroy();
      connections.take({ hasLeft: false, connected, unconnected: failed.resolve });
    }
    expect(await failed.promise).toBe("ETIMEDOUT");
    await deaf.terminate();
  });

  it("closes what has rested for longer than a request may risk", async () => {
    const server = createServer((_, response) => response.end("ok"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    servers.push(server);
    const { port } = server.address() as { port: number };
    const clock = new SimulatedClock(0);
    const connections = new MachineConnections({ host: "127.0.0.1", port }, 1_000, clock);
    all.push(connections);
    await ask(connections);
    connections.closeResting(1_000);
    expect((await ask(connections)).isReused).toBe(true);
    await clock.pass(1_001);
    connections.closeResting(1_000);
    expect((await ask(connections)).isReused).toBe(false);
  });
});
