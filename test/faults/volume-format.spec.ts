import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock } from "#kernel";
import { openVolumeStore } from "#runtime";
import { type NatsServer, startNatsServer } from "#testing";
import { MACHINE_ID, metaOf, type SimulatedAgent, SimulatedHost } from "../simulation/host-world.ts";
import { rested, VOLUME_ID } from "../simulation/volume-scenarios.ts";

const MIB = 1024 ** 2;
const { signal } = new AbortController();

describe("F29: volumes whose format a host does not know", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "drover-format-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("are not touched: nothing is taken in, and all is well once the right version runs", async () => {
    // Too little for a pool, so that these are plain folders, which no kernel looks after. A pool says the same in such a file.
    const room = { dir, label: "drover", clock: new SystemClock(), poolBytes: 64 * MIB, reserveBytes: 0 };
    const first = await openVolumeStore(room);
    expect(first.store.kind).toBe("directory");
    await first.store.create("vol_1", 8 * MIB, signal);
    const format = join(dir, "directory", "format");
    const before = await readFile(format, "utf8");

    await writeFile(format, "2\n");
    const kept = join(dir, "directory", ".trash", "of another kind");
    await writeFile(kept, "not for us to sweep");
    const { store } = await openVolumeStore(room);
    expect(store.suspicion?.detail).toMatch(/format 2 .* knows format 1: run the version that made them/);
    await expect(store.create("vol_2", 8 * MIB, signal)).rejects.toMatchObject({ code: "storage_suspect" });
    await expect(store.check(signal)).rejects.toMatchObject({ code: "storage_suspect" });
    store.close();
    expect((await stat(kept)).isFile()).toBe(true);
    expect(await readdir(join(dir, "directory", "volumes"))).toEqual(["vol_1"]);

    await writeFile(format, before);
    const { store: again } = await openVolumeStore(room);
    expect(again.suspicion).toBeUndefined();
    expect((await again.list(signal)).volumeIds).toEqual(["vol_1"]);
  });
});

describe("F29: a host whose log tells of volumes that another store had", () => {
  const SNAPSHOT_ID = "vs_0000000000000001";
  const OTHER_ID = "vol_0000000000000001";
  let server: NatsServer;
  let host: SimulatedHost;
  let agent: SimulatedAgent;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());
  afterEach(() => host.remove());

  const make = (commandId: string, volumeId: string, more: object = {}) => {
    const described = { appName: "app", name: "data", region: "local", epoch: 1, sizeGb: 4 };
    const kept = { autoBackup: false, snapshotRetentionDays: 5 };
    const request = { volumeId, ...described, ...kept, ...more };
    return agent.agent.placement.commitVolume(request, metaOf(commandId));
  };

  it("refuses to restore, fork and mount them before it promises anything", async () => {
    host = await SimulatedHost.make(server);
    agent = await host.boot();
    await make("MAKE", VOLUME_ID);
    await rested(agent);
    const taking = { volumeId: VOLUME_ID, snapshotId: SNAPSHOT_ID, command: "TakeSnapshot" } as const;
    await agent.agent.volumes.snapshot(taking, metaOf("TAKE"));
    await rested(agent);
    await host.bury();
    host.pool.volumes.clear();
    host.pool.snapshots.clear();
    agent = await host.boot();

    const offer = (commandId: string, more: object) => {
      const volume = { volumeId: OTHER_ID, appName: "app", epoch: 1, ttlMs: 5_000 };
      const room = { cpuMillis: 0, memoryMib: 0, volumeMib: 4_096 };
      const wanted = { ...volume, resources: room, ...more };
      return agent.agent.placement.offer(wanted, metaOf(commandId));
    };
    const machine = { machineId: MACHINE_ID, appName: "app", ports: [], epoch: 1, ttlMs: 5_000 };
    const mount = { ...machine, resources: { cpuMillis: 62, memoryMib: 256 }, volumes: [VOLUME_ID] };
    const refused = (missing: string) => ({
      refusal: { code: "storage_suspect", details: { missing: [missing] } },
    });
    await expect(offer("RESTORE", { snapshotId: SNAPSHOT_ID })).rejects.toMatchObject(refused(SNAPSHOT_ID));
    await expect(offer("FORK", { forkOf: VOLUME_ID })).rejects.toMatchObject(refused(VOLUME_ID));
    await expect(agent.agent.placement.offer(mount, metaOf("MOUNT"))).rejects.toMatchObject(
      refused(VOLUME_ID),
    );
    await expect(make("COMMIT", OTHER_ID, { snapshotId: SNAPSHOT_ID })).rejects.toMatchObject({
      refusal: { code: "storage_suspect" },
    });
    const { volumes, reservations } = agent.agent.ledger.state;
    expect([[...volumes.keys()], reservations.size]).toEqual([[VOLUME_ID], 0]);
    await agent.agent.stop();
  });
});
