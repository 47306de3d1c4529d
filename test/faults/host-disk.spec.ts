import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { hostCalls } from "#contracts";
import { processesOf, until } from "../host/container-process.ts";
import { HostLab, labIds } from "../host/host-lab.ts";

const MIB = 1024 * 1024;

let lab: HostLab;
let disk: string;
beforeAll(async () => {
  disk = mkdtempSync(join(tmpdir(), "drover-small-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=96m", "tmpfs", disk]);
  lab = await HostLab.open(["a"], { dataIn: disk });
  await lab.agent("a");
}, 120_000);
afterAll(async () => {
  await lab.close();
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
}, 120_000);

/** Fills the host's disk until so much is free. The log's reserve is 16 MiB, and twice that for what is new. */
function fillUntil(freeMib: number): void {
  const { bavail, bsize } = statfsSync(disk);
  execFileSync("fallocate", ["-l", String(bavail * bsize - freeMib * MIB), join(disk, "filler")]);
}

function makeRoom(): void {
  rmSync(join(disk, "filler"), { force: true });
}
afterEach(makeRoom);

const made = async () => {
  const machineId = labIds.machineId();
  await lab.create("a", { machineId, commandId: labIds.ulid(), config: { restart: { policy: "always" } } });
  await lab.settled("a", machineId);
  return machineId;
};

describe("F34: a host whose disk is nearly full", () => {
  it("takes nothing new in, and says why; what makes room goes on", async () => {
    const running = await made();
    fillUntil(24);
    const resources = { cpuMillis: 62, memoryMib: 256 };
    const wanted = { machineId: labIds.machineId(), appName: "app", resources, ports: [] };
    const full = { code: "disk_full", message: expect.stringContaining("make room") };

    const bids = await lab.bids(wanted);
    expect(bids).toEqual([{ kind: "no-bid", hostId: "a", refusal: expect.objectContaining(full) }]);
    expect(await lab.ask("a", hostCalls.offer, { ...wanted, epoch: 1, ttlMs: 1_000 })).toMatchObject({
      kind: "refused",
      refusal: full,
    });
    const commit = await lab.create("a", { machineId: wanted.machineId, commandId: labIds.ulid() });
    expect(commit).toMatchObject({ kind: "refused", refusal: full });
    expect(await lab.machine("a", wanted.machineId)).toBeUndefined();

    await lab.command("a", running, { type: "StopMachine" });
    expect((await lab.settled("a", running)).state).toBe("stopped");
    expect(await lab.command("a", running, { type: "StartMachine" })).toMatchObject({ refusal: full });
    makeRoom();
    expect((await lab.command("a", running, { type: "StartMachine" })).kind).toBe("answer");
    expect((await lab.settled("a", running)).state).toBe("started");
  }, 120_000);

  it("so full that the log takes nothing loses nothing, and recovers by itself when there is room", async () => {
    const [running, crashing] = [await made(), await made()];
    const place = await lab.place("a");
    const [first = 0] = processesOf(place, crashing);
    fillUntil(8);
    const refused = await lab.command("a", running, { type: "StopMachine" });
    expect(refused).toMatchObject({ kind: "refused", refusal: { code: "disk_full" } });
    expect(await lab.machine("a", running)).toMatchObject({ state: "started" });
    expect(processesOf(place, running)).toHaveLength(1);

    // Its end cannot be written down now.
    process.kill(first, "SIGKILL");
    await until(() => processesOf(place, crashing).length === 0);
    makeRoom();
    await until(() => processesOf(place, crashing).length === 1);
    const machine = await lab.settled("a", crashing);
    expect(machine).toMatchObject({ state: "started", lastExit: { exit_code: 137 } });
    expect(await lab.machine("a", running)).toMatchObject({ state: "started" });
  }, 120_000);
});
