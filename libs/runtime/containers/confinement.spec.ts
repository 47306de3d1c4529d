import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ifMissing } from "../files.ts";
import { ContainerGround } from "./conmon-runtime.fixture.ts";
import type { ConmonRuntime } from "./conmon-runtime.ts";
import type { LaunchSpec } from "./container-runtime.ts";

const M = "d0000000000001";
const { signal } = new AbortController();

describe("what a guest sees and may do", () => {
  let ground: ContainerGround;
  let runtime: ConmonRuntime;
  let starts = 0;

  beforeAll(async () => {
    ground = await ContainerGround.make();
    runtime = await ground.open();
  });
  afterAll(() => ground.close());

  /** What a shell command prints in a container, and its exit code. */
  async function run(command: string, change: Partial<LaunchSpec["process"]> = {}) {
    starts += 1;
    const startId = `S${starts}`;
    const spec = await ground.shell(startId, command);
    await runtime.launch({ ...spec, process: { ...spec.process, ...change } }, signal);
    const { exit_code } = await runtime.awaitExit(M, startId, 20_000, signal);
    const log = await readFile(ground.logOf(startId), "utf8").catch(ifMissing(""));
    const lines = log.split("\n").filter((line) => line !== "");
    return { exit_code, lines: lines.map((line) => line.split(" ").slice(3).join(" ")) };
  }

  it("its own files of /etc", async () => {
    const { lines } = await run("cat /etc/hostname /etc/hosts; hostname; cat /etc/resolv.conf");
    expect(lines.slice(0, 1)).toEqual(["box"]);
    expect(lines).toContain("10.9.8.7 box");
    expect(lines.at(-1)).toMatch(/^(nameserver|options|search) /);
  });

  it("its user, groups, folder and environment", async () => {
    const change = { user: "app", cwd: "/tmp", env: { GREETING: "hello world", PATH: "/bin" } };
    const args = ["/bin/sh", "-c", 'id -u; id -g; id -G; pwd; echo "$GREETING|$PATH|$HOME|$HOSTNAME"'];
    const { lines } = await run("", { ...change, args });
    expect(lines).toEqual(["1000", "1001", "1001 1002", "/tmp", "hello world|/bin|/home/app|box"]);
  });

  it("only its own processes, as the first of them", async () => {
    const { lines } = await run("echo $$; ls /proc | grep -c '^[0-9]'");
    expect(lines[0]).toBe("1");
    expect(Number(lines[1])).toBeLessThan(5);
  });

  it("an exit code, and the signal that it dies of", async () => {
    expect((await run("exit 42")).exit_code).toBe(42);
    expect((await run("sh -c 'kill -SEGV $$'; exit $?")).exit_code).toBe(139);
  });

  it("a terminal when asked for", async () => {
    const { lines } = await run("[ -t 0 ] && [ -t 1 ] && echo terminal; echo $TERM", { tty: true });
    expect(lines.map((line) => line.trim())).toEqual(["terminal", "xterm"]);
  });

  it("its limits of memory, CPU and processes", async () => {
    const group = `${ground.names.cgroupParent}/${M}`;
    const spec = await ground.shell("limits", "echo ready; sleep 10000");
    await runtime.launch({ ...spec, resources: { cpuMillis: 2000, memoryMib: 48 } }, signal);
    const read = async (controller: string, v1: string, v2: string) =>
      (
        await readFile(`/sys/fs/cgroup/${controller}${group}.limits/${v1}`, "utf8").catch(() =>
          readFile(`/sys/fs/cgroup${group}.limits/${v2}`, "utf8"),
        )
      ).trim();
    expect(await read("memory", "memory.limit_in_bytes", "memory.max")).toBe(String(48 * 1024 * 1024));
    expect(await read("cpu", "cpu.cfs_quota_us", "cpu.max")).toMatch(/^200000( 100000)?$/);
    expect(await read("pids", "pids.max", "pids.max")).toBe("4096");
    await runtime.awaitExit(M, "limits", 0, signal);
  });

  it("no way to write where the host would notice", async () => {
    const tries = [
      "echo 1 > /proc/sys/kernel/panic",
      "echo 1 > /sys/kernel/uevent_seqnum",
      "echo b > /proc/sysrq-trigger",
    ];
    for (const attempt of tries) expect((await run(`${attempt} 2>/dev/null`)).exit_code).not.toBe(0);
    expect((await run("cat /proc/kcore | head -c 1 | grep -q .")).exit_code).not.toBe(0);
  });

  it("no mounts, no namespaces, no raw devices, no more privileges than it begins with", async () => {
    expect((await run("mount -t tmpfs none /tmp 2>/dev/null")).exit_code).not.toBe(0);
    expect((await run("unshare -U true 2>/dev/null")).exit_code).not.toBe(0);
    expect((await run("busybox mknod /tmp/disk b 254 0 && cat /tmp/disk 2>/dev/null")).exit_code).not.toBe(0);
    const { lines } = await run("cat /proc/self/status | grep -E '^(NoNewPrivs|Seccomp|CapBnd):'");
    expect(lines.map((line) => line.replace(/\s+/, " "))).toEqual([
      "CapBnd: 00000000a80425fb",
      "NoNewPrivs: 1",
      "Seccomp: 2",
    ]);
  });

  it("no capability at all as another user than root", async () => {
    const args = ["/bin/sh", "-c", "grep CapEff /proc/self/status"];
    expect((await run("", { user: "1000", args })).lines[0]).toMatch(/CapEff:\s+0{16}$/);
  });
});
