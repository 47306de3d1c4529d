import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type NatsServer, startNatsServer } from "#testing";
import { metaOf, type SimulatedAgent, SimulatedHost } from "../simulation/host-world.ts";
import { rested, VOLUME_ID } from "../simulation/volume-scenarios.ts";

const OTHER_ID = "vol_0000000000000001";
const described = { appName: "app", name: "data", region: "local", epoch: 1, sizeGb: 4 };
const kept = { autoBackup: false, snapshotRetentionDays: 5 };
const machine = {
  machineId: "6e82dd0a000007",
  appName: "app",
  resources: { cpuMillis: 62, memoryMib: 256 },
  ports: [],
};

let server: NatsServer;
let host: SimulatedHost;
let agent: SimulatedAgent;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  host = await SimulatedHost.make(server, { storageTimeoutMs: 500 });
  agent = await host.boot();
  await make(VOLUME_ID);
  await rested(agent);
});
afterEach(async () => {
  await agent.agent.stop();
  await host.remove();
});

function make(volumeId: string) {
  return agent.agent.placement.commitVolume({ volumeId, ...described, ...kept }, metaOf(`MAKE-${volumeId}`));
}

/** Resolves with its message once the host raises the alarm. */
function alarmed(alarm: string): Promise<string> {
  return new Promise((resolve) => {
    const forget = agent.agent.ledger.onEvent(({ type, data }) => {
      if (type !== "HostAlarmRaised" || data.alarm !== alarm) return;
      forget();
      resolve(data.message);
    });
  });
}

describe("F26: a host whose storage hangs", () => {
  it("says so, takes nothing new in, and is itself again once its storage has passed its check", async () => {
    const suspect = alarmed("storage_suspect");
    const passed = alarmed("storage_passed");
    host.pool.hangs = true;
    const command = { type: "ExtendVolume", sizeGb: 8 } as const;
    await agent.agent.volumes.command({ volumeId: VOLUME_ID, command }, metaOf("EXTEND"));
    expect(await suspect).toContain("extend: not done within 500 ms");

    const refusal = expect.objectContaining({ code: "storage_suspect", retryAfterMs: 5_000 });
    expect(await agent.agent.placement.bid(machine)).toMatchObject({ kind: "no-bid", refusal });
    const offer = { ...machine, epoch: 1, ttlMs: 1_000 };
    await expect(agent.agent.placement.offer(offer, metaOf("OFFER"))).rejects.toMatchObject({ refusal });
    await expect(make(OTHER_ID)).rejects.toMatchObject({ refusal: { code: "storage_suspect" } });
    expect(await agent.agent.volumes.get({ volumeId: VOLUME_ID })).toMatchObject({
      volume: { state: "extending", sizeGb: 4 },
    });

    host.pool.hangs = false;
    await passed;
    expect(await agent.agent.placement.bid(machine)).toMatchObject({ kind: "bid" });
    await rested(agent);
    expect(await agent.agent.volumes.get({ volumeId: VOLUME_ID })).toMatchObject({
      volume: { state: "created", sizeGb: 8 },
      usage: { usedBytes: 0, totalBytes: 8 * 1024 ** 3 },
    });
  }, 30_000);
});

describe("F21, F27: a host whose storage holds other volumes than its log knows", () => {
  it("tells which are strange and which are missing, and touches none", async () => {
    await make(OTHER_ID);
    await rested(agent);
    await host.bury();
    const strange = { sizeBytes: 1, files: new Map([["row", "somebody's"]]) };
    host.pool.volumes.set("vol_00000000000000ff", strange);
    host.pool.volumes.delete(OTHER_ID);
    agent = await host.boot();
    const alarms: string[] = [];
    for await (const decoded of agent.agent.ledger.log.read(1)) {
      const { event } = decoded.kind === "event" ? decoded : { event: undefined };
      if (event?.type === "HostAlarmRaised") alarms.push(`${event.data.alarm}: ${event.data.message}`);
    }
    expect(alarms).toEqual([
      "unknown_volumes: 1 volumes or snapshots are not known to the log and left alone: vol_00000000000000ff",
      `volumes_missing: 1 volumes or snapshots are known to the log and not in the store: ${OTHER_ID}`,
    ]);
    expect(host.pool.volumes.get("vol_00000000000000ff")).toBe(strange);
  });
});
