import { createConnection, createServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { NatsConnection } from "@nats-io/transport-node";
import { type NatsServer, type NatsServerPlace, openConfig, startNatsServer } from "#testing";
import { agentUser, type Credential, mintCredential } from "#topology";
import { assertBusAnswers, connectBus } from "./connect.ts";

const credential = mintCredential(agentUser("h1"));
const connections: NatsConnection[] = [];
const servers: NatsServer[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map((nc) => nc.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

function configFor(known: Credential) {
  return (place: NatsServerPlace) =>
    `${openConfig(place)}authorization { users: [ { nkey: ${known.publicKey}, permissions: {
      publish: [">"], subscribe: ["_INBOX.agent-h1.>"] } } ] }\n`;
}

async function start(known: Credential): Promise<NatsServer> {
  const server = await startNatsServer(configFor(known));
  servers.push(server);
  return server;
}

function settings(server: NatsServer) {
  return { servers: [server.url], user: credential.user, seed: credential.seed, name: "test" };
}

async function open(server: NatsServer): Promise<NatsConnection> {
  const nc = await connectBus(settings(server));
  connections.push(nc);
  return nc;
}

describe("connectBus", () => {
  it("signs with the key, and hears answers where only it may listen", async () => {
    const nc = await open(await start(credential));
    await assertBusAnswers(nc, 5_000);
    await expect(nc.request("$JS.API.INFO", "", { timeout: 5_000 })).resolves.toBeDefined();
  });

  it("says which key is not known, and does not say the seed", async () => {
    const server = await start(mintCredential("api"));
    const failed = await connectBus(settings(server)).catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({ refusal: { code: "unauthorized" } });
    expect(String(failed)).toContain("agent-h1");
    expect(JSON.stringify(failed) + String(failed)).not.toContain(credential.seed);
  });

  it("F47: waits for a server that comes up later", async () => {
    const server = await start(credential);
    await server.kill();
    const connecting = open(server);
    await server.restart();
    await assertBusAnswers(await connecting, 5_000);
  });

  it("tries again when the server did not wait for its signature", async () => {
    const server = await start(credential);
    let tries = 0;
    const busy = createServer((socket) => {
      tries += 1;
      if (tries === 1) {
        socket.write(
          'INFO {"version":"2.15.1","auth_required":true,"nonce":"abc","headers":true,"proto":1}\r\n',
        );
        socket.end("-ERR 'Authentication Timeout'\r\n");
        return;
      }
      const upstream = createConnection(server.port, "127.0.0.1");
      for (const end of [socket, upstream]) end.on("error", () => end.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((done) => busy.listen(0, "127.0.0.1", done));
    const { port } = busy.address() as { readonly port: number };
    const nc = await connectBus({ ...settings(server), servers: [`nats://127.0.0.1:${port}`] });
    await assertBusAnswers(nc, 5_000);
    expect(tries).toBe(2);
    await nc.close();
    busy.close();
  });

  it("gives up waiting when told to", async () => {
    const server = await start(credential);
    await server.kill();
    await expect(connectBus(settings(server), AbortSignal.timeout(50))).rejects.toThrow();
  });

  it("comes back after the server was killed", async () => {
    const server = await start(credential);
    const nc = await open(server);
    const back = (async () => {
      for await (const { type } of nc.status()) if (type === "reconnect") return;
    })();
    await server.restart();
    await back;
    await assertBusAnswers(nc, 5_000);
  });

  it("does not call a dead server an answering one", async () => {
    const server = await start(credential);
    const nc = await open(server);
    await server.kill("SIGSTOP");
    // A stop signal takes effect a moment after it was sent.
    const fails = async () => {
      for (;;) await assertBusAnswers(nc, 50);
    };
    await expect(fails()).rejects.toThrow("did not answer");
    await server.kill("SIGCONT");
  });
});
