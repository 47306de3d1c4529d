import { copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { runCommand } from "../command.ts";
import { unmountUnder } from "../rootfs/mounts.ts";
import { LoopPool } from "../volumes/loop-pool.ts";
import { findProgram } from "./choose-runtime.ts";
import { ContainerGround } from "./conmon-runtime.fixture.ts";
import type { ConmonRuntime } from "./conmon-runtime.ts";

const M = "d0000000000001";
const { signal } = new AbortController();

describe("what is mounted into a machine", () => {
  let ground: ContainerGround;
  let runtime: ConmonRuntime;
  let starts = 0;

  beforeAll(async () => {
    ground = await ContainerGround.make();
    runtime = await ground.open();
  });
  afterAll(() => ground.close());

  const folder = () => mkdtemp(join(ground.folder, "völume:a,b="));

  /** Launches a shell command with a mount; `prepare` touches its root filesystem first. */
  async function launch(
    command: string,
    mount: { readonly source: string; readonly destination: string },
    prepare: (rootfs: string) => Promise<unknown> = async () => {},
  ): Promise<string> {
    starts += 1;
    const startId = `S${starts}`;
    const spec = await ground.shell(startId, command);
    await prepare(spec.rootfsPath);
    await runtime.launch({ ...spec, mounts: [mount] }, signal);
    return startId;
  }

  async function exitCode(startId: string): Promise<number> {
    return (await runtime.awaitExit(M, startId, 20_000, signal)).exit_code;
  }

  it("is the host's folder, writable, where no device works and no program changes its user", async () => {
    const source = await folder();
    const look =
      "grep ' /var/lib/data ' /proc/self/mounts > /var/lib/data/seen && echo hello > /var/lib/data/x";
    const startId = await launch(look, { source, destination: "/var//lib/./data/" });
    expect(await exitCode(startId)).toBe(0);
    expect(await readFile(join(source, "x"), "utf8")).toBe("hello\n");
    const options = (await readFile(join(source, "seen"), "utf8")).split(" ")[3]!.split(",");
    expect(options).toEqual(expect.arrayContaining(["rw", "nosuid", "nodev"]));
  });

  it("is what stands there now: a folder made anew under its name makes a ready container anew", async () => {
    const source = await folder();
    const spec = {
      ...(await ground.shell("again", "cat /data/x")),
      mounts: [{ source, destination: "/data" }],
    };
    await runtime.makeReady(spec, signal);
    await rm(source, { recursive: true });
    await expect(runtime.launch(spec, signal)).rejects.toThrow("ENOENT");
    await mkdir(`${source}.other`); // keeps the old folder's number from being used again
    await mkdir(source);
    await writeFile(join(source, "x"), "new");
    await runtime.launch(spec, signal);
    expect(await exitCode("again")).toBe(0);
  });

  it.each([
    "/",
    "/proc",
    "/proc/self",
    "/sys/fs",
    "/dev",
    "/dev/shm/x",
    "data",
    "/a/../etc",
    "//proc",
    "/./dev/",
  ])("is refused on %s", async (destination) => {
    const source = await folder();
    await expect(launch("true", { source, destination })).rejects.toMatchObject({
      name: "TerminalError",
      code: "launch_failed",
    });
  });

  it("follows no link that a guest left: neither out of the machine, nor elsewhere in it", async () => {
    const outside = join(ground.folder, "outside");
    await mkdir(outside);
    const traps: readonly ((rootfs: string) => Promise<unknown>)[] = [
      (rootfs) => symlink(outside, join(rootfs, "data")),
      (rootfs) => symlink("/proc", join(rootfs, "data")),
      (rootfs) => symlink("nowhere", join(rootfs, "data")),
      (rootfs) => writeFile(join(rootfs, "data"), "a file"),
    ];
    for (const [at, destination] of [
      ["is it", "/data"],
      ["is above it", "/data/made"],
    ] as const)
      for (const trap of traps) {
        const attempt = launch("true", { source: await folder(), destination }, trap);
        await expect(attempt.then(() => at)).rejects.toMatchObject({ code: "launch_failed" });
      }
    await expect(stat(join(outside, "made"))).rejects.toThrow("ENOENT");
    expect((await runtime.list()).filter(({ state }) => state !== "stopped")).toEqual([]);
  });

  it("cannot be made to hold what its quota does not count: a guest makes no subvolume", async () => {
    const dir = await folder();
    const pool = new LoopPool({ dir, label: "drover-spec", maxBytes: 1024 ** 3, reserveBytes: 0 });
    await pool.open(signal);
    try {
      await pool.filesystem.createSubvolume("vol_1", signal);
      const source = join(pool.mountPoint, "vol_1");
      const command =
        "cd /data; btrfs subvolume create x; btrfs subvolume snapshot . y; [ ! -e x ] && [ ! -e y ]";
      const startId = await launch(command, { source, destination: "/data" }, bringBtrfs);
      expect(await exitCode(startId)).toBe(0);
      const log = await readFile(ground.logOf(startId), "utf8");
      expect(log.match(/Operation not permitted/g)).toHaveLength(2);
    } finally {
      await unmountUnder(dir);
    }
  });
});

/** Puts the host's program into a root filesystem, and the libraries that it needs. */
async function bringBtrfs(rootfs: string): Promise<void> {
  const program = findProgram("btrfs")!;
  const { stdout } = await runCommand(["ldd", program]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file!);
  for (const file of libraries) {
    await mkdir(join(rootfs, dirname(file)), { recursive: true });
    await copyFile(file, join(rootfs, file));
  }
  await copyFile(program, join(rootfs, "bin", "btrfs"));
}
