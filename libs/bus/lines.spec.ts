import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "#testing";
import { Lines } from "./lines.ts";

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

async function take(lines: Lines, count: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  for await (const line of lines) {
    taken.push(line);
    if (taken.length === count) break;
  }
  return taken;
}

describe("Lines", () => {
  it("gives every message from the moment it is open, and passes over what is not JSON", async () => {
    const lines = await Lines.open(nc, "lines.a");
    nc.publish("lines.a", JSON.stringify({ n: 1 }));
    nc.publish("lines.a", "{");
    nc.publish("lines.a", JSON.stringify({ n: 2 }));
    expect(await take(lines, 2)).toEqual([{ n: 1 }, { n: 2 }]);
    lines.close();
  });

  it("F12: keeps a bounded number for a reader that is slow, and counts what it drops", async () => {
    const lines = await Lines.open(nc, "lines.b");
    for (let n = 1; n <= 10_050; n += 1) nc.publish("lines.b", String(n));
    await nc.flush();
    const taken = await take(lines, 10_000);
    expect(lines.dropped).toBe(50);
    expect(taken[0]).toBe(51);
    lines.close();
  });

  it("ends when it is closed", async () => {
    const lines = await Lines.open(nc, "lines.c");
    const all = take(lines, 1);
    lines.close();
    expect(await all).toEqual([]);
  });
});
