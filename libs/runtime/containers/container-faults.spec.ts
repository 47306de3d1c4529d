import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { MachineExit } from "#contracts";
import { runCommand } from "../command.ts";
import { ContainerGround } from "./conmon-runtime.fixture.ts";
import type { ConmonRuntime } from "./conmon-runtime.ts";
import { EXIT_CODE_UNKNOWN } from "./container-runtime.ts";
import { identify } from "./processes.ts";

const M = "d0000000000001";
const { signal } = new AbortController();

describe("containers in trouble", () => {
  let ground: ContainerGround;
  let runtime: ConmonRuntime;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    ground = await ContainerGround.make();
    runtime = await ground.open();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await ground.close();
  });

  const bundleOf = (startId: string) => join(ground.dataDir, "run/bundles", `${M}.${startId}`);
  const monitorPidOf = async (startId: string) =>
    Number(await readFile(`${bundleOf(startId)}/conmon.pid`, "utf8"));
  const launch = async (startId: string, command: string) =>
    runtime.launch(await ground.shell(startId, command), signal);
  const exitOnce = (of: ConmonRuntime) =>
    new Promise<MachineExit>((resolve) => {
      of.onExit((_machineId, _startId, exit) => resolve(exit));
    });
  const isGone = async (pid: number) => {
    while (identify(pid) !== undefined) await sleep(20);
  };

  function bystander(): number {
    const child = spawn("sleep", ["10000"], { stdio: "ignore" });
    children.push(child);
    return child.pid!;
  }

  it("I5: the monitor has a session of its own and no tie to us", async () => {
    await launch("S1", "sleep 10000");
    const stat = await readFile(`/proc/${await monitorPidOf("S1")}/stat`, "utf8");
    const [, parent, group, session] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const pid = await monitorPidOf("S1");
    expect({ group, session }).toEqual({ group: pid, session: pid });
    expect(parent).not.toBe(process.pid);
    const groups = await readFile(`/proc/${pid}/cgroup`, "utf8");
    expect(groups).toContain(`${ground.names.cgroupParent}/monitors`);
  });

  it("F21: a container of the same name under another runtime root is not ours", async () => {
    const foreignRoot = join(ground.folder, "foreign");
    const { binary } = runtime.runtime;
    const spec = await ground.shell("S1", "echo ready; sleep 10000");
    await runtime.launch(spec, signal);
    await runtime.awaitExit(M, "S1", 0, signal);
    await runCommand(["cp", "-r", bundleOf("S1"), join(ground.folder, "bundle")]);
    await runtime.removeContainers(M);
    const config = join(ground.folder, "bundle/config.json");
    const foreign = (await readFile(config, "utf8")).replaceAll(
      ground.names.cgroupParent,
      `/drover-spec-${process.pid}`,
    );
    await writeFile(config, foreign.replaceAll(bundleOf("S1"), join(ground.folder, "bundle")));
    children.push(
      spawn(binary, ["--root", foreignRoot, "run", "--bundle", join(ground.folder, "bundle"), `${M}.S1`], {
        stdio: "ignore",
      }),
    );
    while (!existsSync(`${foreignRoot}/${M}.S1/state.json`) && !existsSync(`${foreignRoot}/${M}.S1/status`))
      await sleep(20);
    try {
      expect(await runtime.list()).toEqual([]);
      const ours = await launch("S1", "sleep 10000");
      expect(await runtime.list()).toMatchObject([{ startId: "S1", pid: ours.pid, state: "running" }]);
      await runtime.removeContainers(M);
      expect((await runCommand([binary, "--root", foreignRoot, "list"])).stdout).toContain("running");
    } finally {
      await runCommand([binary, "--root", foreignRoot, "delete", "--force", `${M}.S1`]);
      await runCommand(["sh", "-c", `rmdir /sys/fs/cgroup/*/drover-spec-${process.pid} 2>/dev/null || true`]);
    }
  });

  it("F21: a process that has the pid of ours by chance is neither shown nor signalled", async () => {
    await launch("S1", "sleep 10000");
    await runtime.awaitExit(M, "S1", 0, signal);
    const stranger = bystander();
    const state = join(ground.names.runtimeRoot, `${M}.S1/state.json`);
    const record = JSON.parse(await readFile(state, "utf8"));
    await writeFile(state, JSON.stringify({ ...record, init_process_pid: stranger }));
    expect(await runtime.list()).toEqual([{ machineId: M, startId: "S1", state: "stopped", pid: 0 }]);
    await runtime.sendSignal(M, "S1", "SIGKILL");
    await writeFile(`${bundleOf("S1")}/conmon.pid`, String(stranger));
    await runtime.removeContainers(M);
    expect(identify(stranger)).toBeDefined();
  });

  it("a monitor that is killed takes nothing along; the end of the process is seen, its code is not", async () => {
    const told = exitOnce(runtime);
    const { pid } = await launch("S1", "sleep 10000");
    process.kill(await monitorPidOf("S1"), "SIGKILL");
    await isGone(await monitorPidOf("S1"));
    expect(await runtime.list()).toMatchObject([{ state: "running", pid }]);
    expect(await runtime.exitOf(M, "S1")).toBeUndefined();
    process.kill(pid, "SIGKILL");
    const exit = await told;
    expect(exit).toMatchObject({ exit_code: EXIT_CODE_UNKNOWN, guest_signal: 0, requested_stop: false });
    expect(await runtime.exitOf(M, "S1")).toEqual(exit);
    expect(await (await ground.open()).exitOf(M, "S1")).toEqual(exit);
  });

  it("the next agent, too, sees the end of a process without a monitor", async () => {
    const { pid } = await launch("S1", "echo ready; sleep 10000");
    await ground.serving("S1");
    runtime = await ground.open();
    const told = exitOnce(runtime);
    process.kill(await monitorPidOf("S1"), "SIGKILL");
    process.kill(pid, "SIGKILL");
    expect(await told).toMatchObject({ exit_code: EXIT_CODE_UNKNOWN });
    expect(await launch("S1", "")).toMatchObject({ pid: 0 });
    expect(await ground.runsOf("S1")).toBe(1);
  });

  it("F22: killed with its monitor between the note and the process's begin, a start counts as lost, not as new", async () => {
    const crashing = await ground.open((done) => {
      if (done === "start noted") throw new Error("crash");
    });
    await expect(crashing.launch(await ground.shell("S1", "sleep 10000"), signal)).rejects.toThrow("crash");
    process.kill(await monitorPidOf("S1"), "SIGKILL");
    await isGone(await monitorPidOf("S1"));
    runtime = await ground.open();
    expect(await launch("S1", "sleep 10000")).toMatchObject({ pid: 0 });
    expect(await runtime.awaitExit(M, "S1", 0, signal)).toMatchObject({ exit_code: EXIT_CODE_UNKNOWN });
    expect(await ground.runsOf("S1")).toBe(0);
  });

  it("F21: what stood ready and was killed meanwhile, or whose monitor was, is made anew", async () => {
    for (const victim of ["container.pid", "conmon.pid"]) {
      const startId = `S-${victim}`;
      const spec = await ground.shell(startId, "echo ready; sleep 10000");
      await runtime.makeReady(spec, signal);
      const pid = Number(await readFile(`${bundleOf(startId)}/${victim}`, "utf8"));
      process.kill(pid, "SIGKILL");
      await isGone(pid);
      runtime = await ground.open();
      expect((await runtime.launch(spec, signal)).pid).not.toBe(pid);
      await ground.serving(startId);
      expect(await ground.runsOf(startId)).toBe(1);
    }
  });

  it("keeps only so many ready, the latest ones, and never takes a launched one for one of them", async () => {
    runtime = await ground.open(undefined, { maxReady: 2 });
    const specs = await Promise.all(["S1", "S2", "S3", "S4"].map((id) => ground.shell(id, "sleep 10000")));
    await runtime.makeReady(specs[0]!, signal);
    await runtime.launch(specs[0]!, signal);
    for (const spec of [specs[0]!, ...specs.slice(1)]) await runtime.makeReady(spec, signal);
    const shown = (await runtime.list()).map(({ startId, state }) => `${startId} ${state}`);
    expect(shown).toEqual(["S1 running", "S3 created", "S4 created"]);
    runtime = await ground.open(undefined, { maxReady: 1 });
    await runtime.makeReady(specs[1]!, signal);
    const later = (await runtime.list()).map(({ startId, state }) => `${startId} ${state}`);
    expect(later).toEqual(["S1 running", "S2 created"]);
  });

  it("an aborted launch can be repeated", async () => {
    const abort = new AbortController();
    const spec = await ground.shell("S1", "echo ready; sleep 10000");
    const hurried = await ground.open((done) => {
      if (done === "monitor told") abort.abort(new Error("too slow"));
    });
    await expect(hurried.launch(spec, abort.signal)).rejects.toThrow("too slow");
    runtime = await ground.open();
    expect((await runtime.launch(spec, signal)).pid).toBeGreaterThan(0);
    await ground.serving("S1");
    expect(await ground.runsOf("S1")).toBe(1);
  });

  it("a machine that uses up its memory is killed, and its exit says why", async () => {
    await launch("S1", "tail /dev/zero");
    expect(await runtime.awaitExit(M, "S1", 20_000, signal)).toMatchObject({
      exit_code: 137,
      oom_killed: true,
    });
  });

  it("a frozen machine is killed all the same", async () => {
    await launch("S1", "sleep 10000");
    const group = `${ground.names.cgroupParent}/${M}.S1`;
    const v1 = `/sys/fs/cgroup/freezer${group}/freezer.state`;
    await (existsSync(v1) ? writeFile(v1, "FROZEN") : writeFile(`/sys/fs/cgroup${group}/cgroup.freeze`, "1"));
    expect(await runtime.awaitExit(M, "S1", 0, signal)).toMatchObject({ exit_code: 137 });
  });

  it("removing a machine ends whatever it forked", async () => {
    await launch("S1", "sleep 10001 & sleep 10002 & (sleep 10003 &) ; echo ready; wait");
    await ground.serving("S1");
    await runtime.removeContainers(M);
    expect(existsSync(`/sys/fs/cgroup/memory${ground.names.cgroupParent}/${M}.S1`)).toBe(false);
    expect(existsSync(bundleOf("S1"))).toBe(false);
    expect(existsSync(`${ground.names.runtimeRoot}/${M}.S1`)).toBe(false);
  });
});
