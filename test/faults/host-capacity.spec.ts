import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type NatsServer, startNatsServer } from "#testing";
import { metaOf, type SimulatedAgent, SimulatedHost } from "../simulation/host-world.ts";

let server: NatsServer;
let host: SimulatedHost;
let agent: SimulatedAgent;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  host = await SimulatedHost.make(server);
  agent = await host.boot();
});
afterEach(async () => {
  await agent.agent.stop();
  await host.remove();
});

const wanted = (machineId: string, memoryMib: number) => ({
  ...{ machineId, appName: "app", ports: [], epoch: 1, ttlMs: 60_000 },
  resources: { cpuMillis: 62, memoryMib },
});
const offer = (machineId: string, memoryMib: number) =>
  agent.agent.placement.offer(wanted(machineId, memoryMib), metaOf(`OFFER-${machineId}`));

describe("F25: a huge reservation", () => {
  it("is refused by what really is there, and leaves nothing behind", async () => {
    await expect(offer("m1", 1_000_000)).rejects.toMatchObject({
      refusal: { code: "insufficient_capacity", details: { free: { memoryMib: 4_096 } } },
    });
    expect(agent.agent.ledger.state.reservations.size).toBe(0);
    await offer("m2", 4_096);
  });

  it("and a hundred small ones at once never make the host promise more than it has", async () => {
    const offers = Array.from({ length: 100 }, (_, index) => offer(`m${index}`, 256));
    const kept = (await Promise.allSettled(offers)).filter(({ status }) => status === "fulfilled");
    expect(kept).toHaveLength(16);
    expect(agent.agent.ledger.state.holdings.promised.memoryMib).toBe(4_096);
  });

  it("that expired is free again, and a commit that comes late is checked anew", async () => {
    const request = { ...wanted("m1", 4_096), ttlMs: 20 };
    await agent.agent.placement.offer(request, metaOf("OFFER-m1"));
    const ended = new Promise<void>((done) => {
      agent.agent.ledger.onEvent(({ type }) => {
        if (type === "ReservationEnded") done();
      });
    });
    await ended;
    await offer("m2", 4_000);
    await expect(agent.create("OFFER-m1")).rejects.toMatchObject({
      refusal: { code: "insufficient_capacity" },
    });
  });
});

describe("F09: a host that says no", () => {
  it("gives its own reason, in its bid and in its refusal", async () => {
    await offer("m1", 4_000);
    const bid = await agent.agent.placement.bid(wanted("m2", 256));
    expect(bid).toMatchObject({
      kind: "no-bid",
      hostId: host.hostId,
      refusal: { code: "insufficient_capacity", message: expect.stringContaining("96 of 4096 free") },
    });
    await expect(offer("m2", 256)).rejects.toMatchObject({
      refusal: { details: { hostId: host.hostId, wanted: { memoryMib: 256 }, free: { memoryMib: 96 } } },
    });
  });

  it("because it is cordoned says by whom and why", async () => {
    const expiresAtMs = Date.now() + 3_600_000;
    await agent.agent.host.cordon(
      { kind: "cordon", owner: "ops", reason: "new disk", expiresAtMs },
      metaOf("C"),
    );
    expect(await agent.agent.placement.bid(wanted("m1", 256))).toMatchObject({
      kind: "no-bid",
      refusal: { code: "cordoned", message: expect.stringMatching(/ops until .*: new disk/) },
    });
  });
});
