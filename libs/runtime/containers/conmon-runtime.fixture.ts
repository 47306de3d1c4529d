import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SystemClock } from "#kernel";
import { runCommand } from "../command.ts";
import type { FaultPoint } from "../fault-point.ts";
import { ifMissing } from "../files.ts";
import { HostNames } from "../names.ts";
import { purgeHost } from "../purge.ts";
import { ConmonRuntime } from "./conmon-runtime.ts";
import type { Beside, ContainersUnderTest, Program } from "./container-runtime.contract.ts";
import type { LaunchSpec } from "./container-runtime.ts";

/** Set-up brings it to the first of these where Debian's is not installed. */
const BUSYBOX = [".drover/tools/bin/busybox", "/bin/busybox"].find((place) => existsSync(place))!;
let hosts = 0;

/** A host's ground for real containers: folders, a network namespace and a root filesystem of busybox. */
export class ContainerGround implements ContainersUnderTest {
  readonly names: HostNames;
  readonly folder: string;
  readonly #opened: ConmonRuntime[] = [];

  private constructor(names: HostNames, folder: string) {
    this.names = names;
    this.folder = folder;
  }

  static async make(): Promise<ContainerGround> {
    hosts += 1;
    const names = new HostNames(`containers-spec-${process.pid}`, `host-${hosts}`);
    const ground = new ContainerGround(names, await mkdtemp(join(tmpdir(), "drover contäiners:a,b=")));
    await runCommand(["ip", "netns", "add", names.netnsOf("spec")]);
    return ground;
  }

  get dataDir(): string {
    return join(this.folder, "data");
  }

  rootfsOf(startId: string): string {
    return join(this.folder, `rootfs-${startId}`);
  }

  logOf(startId: string): string {
    return join(this.folder, `${startId}.log`);
  }

  async open(faultPoint?: FaultPoint, more: { readonly maxReady?: number } = {}): Promise<ConmonRuntime> {
    const before = this.#opened.at(-1);
    before?.close();
    const { names, dataDir } = this;
    const found = before === undefined ? {} : { runtime: before.runtime };
    const settings = {
      names,
      dataDir,
      clock: new SystemClock(),
      ...found,
      ...(faultPoint && { faultPoint }),
      ...more,
    };
    const runtime = await ConmonRuntime.open(settings);
    this.#opened.push(runtime);
    return runtime;
  }

  /** A launch of a shell command in a fresh root filesystem, which notes each of its runs in /runs. */
  async shell(startId: string, command: string, machineId = "d0000000000001"): Promise<LaunchSpec> {
    const rootfsPath = this.rootfsOf(startId);
    await makeRootfs(rootfsPath);
    return {
      machineId,
      startId,
      rootfsPath,
      netnsPath: this.names.netnsPathOf("spec"),
      hostname: "box",
      addresses: ["10.9.8.7"],
      process: {
        args: ["/bin/sh", "-c", `echo run >> /runs; ${command}`],
        env: {},
        cwd: "/",
        user: "",
        tty: false,
      },
      resources: { cpuMillis: 1000, memoryMib: 64 },
      mounts: [],
      logPath: this.logOf(startId),
    };
  }

  async spec(machineId: string, startId: string, program: Program): Promise<LaunchSpec> {
    const spec = await this.shell(startId, commandOf(program), machineId);
    return program.kind === "missing" ? { ...spec, process: { ...spec.process, args: ["/nothing"] } } : spec;
  }

  argsOf(beside: Beside): readonly string[] {
    switch (beside.kind) {
      case "exit":
        return ["/bin/sh", "-c", `exit ${beside.code}`];
      case "say":
        return ["/bin/sh", "-c", `printf %s '${beside.text}'`];
      case "echo":
        return ["cat"];
      case "stubborn":
        return ["/bin/sh", "-c", "trap '' TERM; (trap '' TERM; sleep 10000) & while :; do sleep 10000; done"];
      case "missing":
        return ["/nothing"];
    }
  }

  async runsOf(startId: string): Promise<number> {
    const runs = await readFile(join(this.rootfsOf(startId), "runs"), "utf8").catch(ifMissing(""));
    return runs.split("\n").filter((line) => line !== "").length;
  }

  /** Resolves once the process has written `text` to its log. */
  async said(startId: string, text: string): Promise<void> {
    while (!(await readFile(this.logOf(startId), "utf8").catch(ifMissing(""))).includes(text))
      await sleep(20);
  }

  async serving(startId: string): Promise<void> {
    await this.said(startId, "ready");
  }

  async close(): Promise<void> {
    this.#opened.at(-1)?.close();
    const left = await purgeHost(this.names, this.dataDir, () => {});
    await rm(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`a host's purge left ${left.join(", ")}`);
  }
}

function commandOf(program: Program): string {
  switch (program.kind) {
    case "exit":
      return `exit ${program.code}`;
    case "serve":
      return "trap 'exit 3' TERM; echo ready; sleep 10000 & wait";
    case "stubborn":
      return "trap '' TERM; echo ready; while :; do sleep 10000; done";
    case "missing":
      return "";
  }
}

/** A root filesystem with busybox and nothing else. */
export async function makeRootfs(folder: string): Promise<void> {
  for (const name of ["bin", "etc", "tmp"]) await mkdir(join(folder, name), { recursive: true });
  if (existsSync(join(folder, "bin", "busybox"))) return;
  await copyFile(BUSYBOX, join(folder, "bin", "busybox"));
  await chmod(join(folder, "tmp"), 0o1777);
  for (const applet of [
    "sh",
    "sleep",
    "cat",
    "id",
    "env",
    "tail",
    "head",
    "stat",
    "mount",
    "hostname",
    "ls",
    "unshare",
    "grep",
    "stty",
  ])
    await symlink("busybox", join(folder, "bin", applet));
  await writeFile(
    join(folder, "etc", "passwd"),
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n",
  );
  await writeFile(join(folder, "etc", "group"), "root:x:0:\napp:x:1001:\nextra:x:1002:app\n");
}
