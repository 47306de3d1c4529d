import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hostCalls } from "#contracts";
import { purgeHost } from "#runtime";
import { writeOciLayout } from "#testing";
import { processesOf, until } from "../host/container-process.ts";
import { ackedIn, databaseConfig, databaseImage, rowsIn } from "../host/database-machine.ts";
import { HostLab, type HostPlace, labIds } from "../host/host-lab.ts";
import type { LabProcess } from "../host/lab-process.ts";
import { PowerCutDisk } from "../host/power-cut-disk.ts";

/** How often each is killed. */
const TIMES = process.env.DROVER_FULL === "1" ? 20 : 3;
const DISK_MIB = 5_120;
/** Rows that are committed between two kills, at the least. */
const ROWS = 25;

const volumeId = `vol_${labIds.randomHex(8)}`;
const machineId = labIds.machineId();

let disk: PowerCutDisk;
let lab: HostLab;
let place: HostPlace;
let agent: LabProcess;
/** Every row that the machine has ever said it committed. */
const acked = new Set<number>();

beforeAll(async () => {
  disk = new PowerCutDisk(DISK_MIB);
  lab = await HostLab.open(["a"], { dataIn: disk.path });
  place = await lab.place("a");
  agent = await lab.agent("a");
  const image = await writeOciLayout(join(lab.folder, "sqlite"), databaseImage());
  const wanted = { volumeId, appName: "app", name: "data", region: "local", sizeGb: 1, epoch: 1 };
  const kept = { autoBackup: false, snapshotRetentionDays: 5 };
  const made = await lab.ask("a", hostCalls.commitVolume, { ...wanted, ...kept });
  expect(made).toMatchObject({ kind: "answer" });
  await until(async () => (await volume()).state === "created");
  const config = { image: image.reference, ...databaseConfig(volumeId) };
  expect(await lab.create("a", { machineId, commandId: labIds.ulid(), config })).toMatchObject({
    kind: "answer",
  });
  await commits();
  disk.sync(); // what a machine is made of may be fetched again; it is not what this is about
}, 180_000);
afterAll(async () => {
  await lab.close();
  await disk.remove();
}, 120_000);

/** Asks until it is answered: an agent may be on its way back. */
function volume() {
  return until(async () => {
    const got = await lab.ask("a", hostCalls.getVolume, { volumeId });
    return got.kind === "answer" ? got.answer.volume : undefined;
  });
}

/** Resolves once the machine has committed more. */
async function commits(): Promise<void> {
  const before = acked.size;
  await until(() => {
    for (const row of ackedIn(place, machineId)) acked.add(row);
    return acked.size >= before + ROWS ? true : undefined;
  });
}

/** Every row that was said to be committed is there, once more are being. */
async function nothingIsLost(): Promise<void> {
  await commits();
  const rows = rowsIn(join(place.dataDir, "volumes/pool/volumes", volumeId));
  expect([...acked].filter((row) => !rows.has(row))).toEqual([]);
  expect(await volume()).toMatchObject({ state: "created", attachedMachineId: machineId });
}

/** Everything that runs on a host dies at once, and its disk with what had not reached it. */
async function powerFails(): Promise<void> {
  await commits();
  disk.cutPower();
  await Promise.all([agent.kill(), lab.topology.hosts.get("a")!.leaf.kill()]);
  await purgeHost(place.names, join(lab.folder, "none"), () => {});
  await disk.plugIn();
  await lab.topology.hosts.get("a")!.leaf.restart();
  agent = await lab.agent("a");
}

describe("F34: a database on a volume that is full", () => {
  it("loses nothing, goes on once there is room, and its volume grows no further than its host has room", async () => {
    const folder = join(place.dataDir, "volumes/pool/volumes", volumeId);
    const fill = (name: string, argv: readonly string[]) =>
      spawnSync(argv[0]!, [...argv.slice(1), join(folder, name)]);
    expect(fill("most", ["fallocate", "--length", "960M"]).status).toBe(0);
    expect(fill("rest", ["cp", "/dev/zero"]).status).not.toBe(0);
    const full = [...acked, ...ackedIn(place, machineId)];
    const command = { type: "ExtendVolume", sizeGb: 4 } as const;
    expect(await lab.ask("a", hostCalls.volume, { volumeId, command })).toMatchObject({
      ...{ kind: "refused", refusal: { code: "insufficient_capacity" } },
    });
    for (const name of ["most", "rest"]) rmSync(join(folder, name));
    for (const row of full) acked.add(row);
    await nothingIsLost();
  }, 120_000);
});

describe("I6, F17, F22: a database on a volume, under writes", () => {
  const times = Array.from({ length: TIMES }, (_, index) => index + 1);

  it.each(times)(
    "keeps every row that it said was committed when its machine is killed -9 (%i)",
    async () => {
      await commits();
      const [pid = 0] = processesOf(place, machineId);
      process.kill(pid, "SIGKILL");
      await until(() => !processesOf(place, machineId).includes(pid));
      await nothingIsLost();
    },
    90_000,
  );

  it.each(times)(
    "goes on writing while its agent is killed -9 and comes back (%i)",
    async () => {
      await commits();
      const pids = processesOf(place, machineId);
      await agent.kill();
      await commits();
      agent = await lab.agent("a");
      await nothingIsLost();
      expect(processesOf(place, machineId)).toEqual(pids);
    },
    90_000,
  );

  it.each(times)(
    "goes on writing while its host's leaf is killed -9 and comes back (%i)",
    async () => {
      await commits();
      const { leaf } = lab.topology.hosts.get("a")!;
      await leaf.kill();
      await commits();
      await leaf.restart();
      await nothingIsLost();
    },
    90_000,
  );

  it.each(times)(
    "keeps every row when the whole host loses its power (%i)",
    async () => {
      await powerFails();
      await nothingIsLost();
    },
    90_000,
  );
});
