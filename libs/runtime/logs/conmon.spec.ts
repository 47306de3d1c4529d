import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { runCommand } from "../command.ts";
import { ifMissing } from "../files.ts";
import { MonitoredMachineLogs } from "./monitored-machine-logs.ts";

const SEGMENT_BYTES = 64 * 1024;
const never = new AbortController().signal;

/** What the crafted logs of the other specs imitate: the real monitor, around a shell in the place of a container. */
describe("machine logs written by conmon", () => {
  let dir: string;
  let logs: MonitoredMachineLogs;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "drover-conmon-"));
    for (const folder of ["bundle", "exits", "sockets"]) await mkdir(join(dir, folder));
    logs = await MonitoredMachineLogs.open({
      dir: join(dir, "logs"),
      segmentBytes: SEGMENT_BYTES,
      maxBytes: 2 ** 24,
    });
  });
  afterEach(async () => {
    logs.close();
    await rm(dir, { recursive: true });
  });

  /** Runs a shell script under conmon, which goes on by itself. */
  async function run(script: string): Promise<void> {
    const runtime = join(dir, "runtime");
    const stubborn = `#!/bin/sh\nwhile [ "$1" != --pid-file ]; do shift; done\nsh "${dir}/script" &\necho $! > "$2"\n`;
    await writeFile(runtime, stubborn, { mode: 0o755 });
    await writeFile(join(dir, "script"), script);
    await runCommand([
      "conmon",
      ...["--cid", "c", "--cuuid", "c", "--runtime", runtime, "--bundle", join(dir, "bundle")],
      ...["--exit-dir", join(dir, "exits"), "--socket-dir-path", join(dir, "sockets")],
      ...["--container-pidfile", join(dir, "pid"), "--log-size-max", String(SEGMENT_BYTES)],
      ...["--log-path", `k8s-file:${await logs.prepare("m1")}`],
    ]);
  }

  /** The exit file is conmon's last act: all output is in the log by then. */
  async function ended(): Promise<void> {
    const file = join(dir, "exits/c");
    while ((await stat(file).catch(ifMissing(undefined))) === undefined) await sleep(20);
    await rm(file);
  }

  it("loses no line of a machine that talks through many rotations", async () => {
    // It pauses until it was heard: faster than inotify tells of it, a rotation may pass unseen.
    const heard = join(dir, "heard");
    const talk = "i=$((i+1)); echo line $i";
    const pause = `[ $((i % 400)) = 0 ] && while [ ! -e ${heard}-$i ]; do sleep 0.01; done`;
    const following = logs.follow("m1", 10_000, never);
    await run(`i=0; while [ $i -lt 8000 ]; do ${talk}; ${pause}; done`);
    const followed: string[] = [];
    for await (const { text } of following) {
      followed.push(text);
      if (followed.length % 400 === 0) await writeFile(`${heard}-${followed.length}`, "");
      if (followed.length === 8_000) break;
    }
    const expected = Array.from({ length: 8_000 }, (_, i) => `line ${i + 1}`);
    expect(followed).toEqual(expected);
    expect((await readdir(join(dir, "logs/m1"))).length).toBeGreaterThan(5);
    expect((await logs.read("m1", 8_000)).map(({ text }) => text)).toEqual(expected);
  });

  it("joins what it cut, tells its streams apart and ends a dead process's last line", async () => {
    await run("head -c 20000 /dev/zero | tr '\\0' x; echo; echo oops >&2; printf last");
    await ended();
    await run("echo second");
    await ended();
    const lines = await logs.read("m1", 10);
    expect(lines.map(({ stream, text }) => [stream, text]).sort()).toEqual([
      ["stderr", "oops"],
      ["stdout", "last"],
      ["stdout", "second"],
      ["stdout", "x".repeat(20_000)],
    ]);
    expect(lines.every(({ atMs }) => atMs > 1_700_000_000_000)).toBe(true);
  });
});
