import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type NatsServer, startNatsServer } from "#testing";
import { DeathPoint } from "../simulation/host-death.ts";
import { SimulatedHost } from "../simulation/host-world.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const HOUR_MS = 3_600_000;

describe("F20: a host whose clock is set back an hour", () => {
  it("says so in its log, and does what it is told as before", async () => {
    const host = await SimulatedHost.make(server);
    const before = await host.boot(new DeathPoint(), { clockAheadMs: HOUR_MS });
    await before.create("CREATE");
    await before.settled();
    await host.bury();

    const after = await host.boot();
    await after.command("STOP", { type: "StopMachine" });
    expect((await after.settled())?.state).toBe("stopped");
    const log: { readonly type: string; readonly clock: string; readonly alarm?: unknown }[] = [];
    for await (const decoded of after.agent.ledger.log.read()) {
      if (decoded.kind !== "event") continue;
      const { type, header, data } = decoded.event;
      log.push({ type, clock: header.clock, ...("alarm" in data ? { alarm: data.alarm } : {}) });
    }
    expect(log).toContainEqual(expect.objectContaining({ type: "HostAlarmRaised", alarm: "clock_off" }));
    const clocks = log.map(({ clock }) => clock);
    expect(clocks).toEqual([...clocks].sort());
    await after.agent.stop();
    await host.remove();
  });

  it("keeps a reservation for as long as it promised, whatever the wall clock does", async () => {
    const host = await SimulatedHost.make(server);
    const agent = await host.boot(new DeathPoint(), { clockAheadMs: -HOUR_MS });
    const ended = new Promise<string>((done) => {
      agent.agent.ledger.onEvent(({ type, data }) => {
        if (type === "ReservationEnded") done(data.reason);
      });
    });
    await agent.agent.placement.offer(
      {
        ...{ machineId: "m1", appName: "app", ports: [], epoch: 1, ttlMs: 20 },
        resources: { cpuMillis: 62, memoryMib: 256 },
      },
      {
        ...{ commandId: "OFFER", causationId: "OFFER", correlationId: "OFFER" },
        ...{ actor: "test", deadlineMs: 10_000 },
      },
    );
    expect(agent.agent.ledger.state.reservations.size).toBe(1);
    expect(await ended).toBe("expired");
    await agent.agent.stop();
    await host.remove();
  });
});
