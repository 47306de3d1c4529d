import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { runCommand } from "./command.ts";
import { Cgroups } from "./containers/cgroups.ts";
import { ContainerGround } from "./containers/conmon-runtime.fixture.ts";
import { identify, processesWhose } from "./containers/processes.ts";
import { BridgeNetwork } from "./network/bridge-network.ts";
import { purgeHost } from "./purge.ts";
import { LoopPool } from "./volumes/loop-pool.ts";

const SUBNET = `10.${128 + (process.pid % 32)}`;
const PORT = 28_500 + (process.pid % 800);
const { signal } = new AbortController();

/** All that the kernel and /run show of a host. */
async function tracesOf({ names, dataDir }: ContainerGround): Promise<string[]> {
  const shown = await Promise.all([
    runCommand(["ip", "-br", "link"]),
    runCommand(["ip", "netns", "list"]),
    runCommand(["nft", "list", "ruleset"]),
    runCommand(["cat", "/proc/self/mounts"]),
    runCommand(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"]),
    runCommand(["sh", "-c", "find /sys/fs/cgroup /run -maxdepth 4 2>/dev/null"]),
  ]);
  const marks = [names.tag, names.vethPrefix, dataDir];
  const lines = shown.flatMap(({ stdout }) => stdout.split("\n"));
  const processes = processesWhose((argv) => argv.some((word) => marks.some((mark) => word.includes(mark))));
  return [
    ...lines.filter((line) => marks.some((mark) => line.includes(mark))),
    ...processes.map(({ pid }) => `process ${pid}`),
    ...(existsSync(dataDir) ? [dataDir] : []),
  ];
}

describe("purgeHost", () => {
  let ground: ContainerGround;
  let pid: number;

  beforeEach(async () => {
    ground = await ContainerGround.make();
    const { names, dataDir } = ground;
    const network = await BridgeNetwork.open(names, SUBNET);
    const ports = [{ host_port: PORT, machine_port: 80, protocol: "tcp" as const }];
    const machine = { machineId: "d0000000000001", ipv4: `${SUBNET}.1.1`, privateIp: "fd00:9::1", ports };
    const { netnsPath } = await network.prepare(machine, signal);
    const runtime = await ground.open();
    const merged = join(dataDir, "machines", "merged");
    await mkdir(merged, { recursive: true });
    await runCommand(["mount", "-t", "tmpfs", "tmpfs", merged]);
    const spec = { ...(await ground.shell("S1", "sleep 10000")), netnsPath };
    pid = (await runtime.launch(spec, signal)).pid;
    runtime.close();
  });

  afterEach(async () => {
    await ground.close();
  });

  async function purge(): Promise<void> {
    const { names, dataDir } = ground;
    const forwarding = await readFile("/proc/sys/net/ipv4/ip_forward", "utf8");
    expect((await tracesOf(ground)).length).toBeGreaterThan(3);
    expect(await purgeHost(names, dataDir, () => {})).toEqual([]);
    expect(await tracesOf(ground)).toEqual([]);
    expect(identify(pid)).toBeUndefined();
    expect(forwarding.trim()).toBe("1");
    expect(await purgeHost(names, dataDir, () => {})).toEqual([]);
  }

  it("leaves nothing of a host, and says so", () => purge());

  it("takes a pool of volumes with it, one that a machine has mounted, too", async () => {
    const dir = join(ground.dataDir, "volumes");
    const pool = new LoopPool({ dir, label: "drover-spec", maxBytes: 512 * 1024 ** 2, reserveBytes: 0 });
    await pool.open(signal);
    const runtime = await ground.open();
    const mounts = [{ source: pool.mountPoint, destination: "/data" }];
    await runtime.launch({ ...(await ground.shell("S2", "sleep 10000")), mounts }, signal);
    runtime.close();
    await purge();
  });

  it("needs no data directory", async () => {
    await runCommand(["rm", "-rf", join(ground.dataDir, "run")]);
    await purge();
  });

  it("needs no records under /run", async () => {
    await rm(ground.names.runFolder, { recursive: true });
    await purge();
  });

  it("needs no monitor", async () => {
    const conmonPid = Number(
      await readFile(join(ground.dataDir, "run/bundles/d0000000000001.S1/conmon.pid"), "utf8"),
    );
    process.kill(conmonPid, "SIGKILL");
    await purge();
  });

  it("kills what is frozen", async () => {
    const group = `${ground.names.cgroupParent}/d0000000000001.S1`;
    const v1 = `/sys/fs/cgroup/freezer${group}/freezer.state`;
    await (existsSync(v1) ? writeFile(v1, "FROZEN") : writeFile(`/sys/fs/cgroup${group}/cgroup.freeze`, "1"));
    await purge();
  });

  it("does not touch another host", async () => {
    const other = await ContainerGround.make();
    try {
      const runtime = await other.open();
      await runtime.launch(await other.shell("S1", "sleep 10000"), signal);
      await purge();
      expect(await runtime.list()).toMatchObject([{ state: "running" }]);
      expect(new Cgroups().pidsIn(`${other.names.cgroupParent}/d0000000000001.S1`).length).toBeGreaterThan(0);
    } finally {
      await other.close();
    }
  });
});
