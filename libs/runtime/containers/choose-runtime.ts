import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, runCommand } from "../command.ts";
import type { HostNames } from "../names.ts";
import type { Cgroups } from "./cgroups.ts";
import { Crun, type OciRuntime, Runc } from "./oci-runtime.ts";
import { ociSpec } from "./oci-spec.ts";

const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const PROBE = "drover-probe";

/** Absolute path of a program that set-up brings; undefined when it is missing. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/**
 * crun where it works, for it starts containers in a few milliseconds; else runc. crun works when it gets as far as
 * missing the program that an empty root filesystem does not have.
 */
export async function chooseRuntime(names: HostNames, cgroups: Cgroups): Promise<OciRuntime> {
  const root = names.runtimeRoot;
  const crun = findProgram("crun");
  if (crun !== undefined && (await canRun(crun, names, cgroups)))
    return new Crun(crun, root, await versionOf(crun));
  const runc = findProgram("runc");
  if (runc === undefined) throw new Error("neither crun nor runc runs containers here: install runc");
  return new Runc(runc, root, await versionOf(runc));
}

async function versionOf(binary: string): Promise<string> {
  return (await runCommand([binary, "--version"])).stdout.split("\n")[0]!.trim();
}

async function canRun(binary: string, names: HostNames, cgroups: Cgroups): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), `${PROBE}-`));
  const cgroup = `${names.cgroupParent}/${PROBE}`;
  try {
    await mkdir(join(folder, "rootfs"));
    await writeFile(join(folder, "config.json"), JSON.stringify(probeSpec(folder, cgroup, cgroups)));
    await runCommand([
      binary,
      "--root",
      join(folder, "root"),
      "run",
      "--bundle",
      folder,
      `${PROBE}-${names.tag}`,
    ]);
    return false;
  } catch (error) {
    return error instanceof CommandError && error.stderr.includes("not found");
  } finally {
    cgroups.remove(cgroup);
    await rm(folder, { recursive: true, force: true });
  }
}

/** A container as any other, but for the network and the files that a machine would bring. */
function probeSpec(folder: string, cgroup: string, cgroups: Cgroups): Record<string, unknown> {
  const process = { args: [`/${PROBE}`], env: {}, cwd: "/", user: "", tty: false };
  const resources = { cpuMillis: 1000, memoryMib: 64 };
  const launch = {
    ...{
      machineId: PROBE,
      startId: PROBE,
      rootfsPath: join(folder, "rootfs"),
      netnsPath: "",
      hostname: PROBE,
    },
    ...{ addresses: [], process, resources, mounts: [], logPath: "" },
  };
  const user = { uid: 0, gid: 0, additionalGids: [], home: "/" };
  const around = { user, cgroup, limitsSwap: cgroups.limitsSwap, maxOpenFiles: 1024, etcFolder: "" };
  const spec = ociSpec(launch, around);
  const {
    sysctl: _,
    namespaces,
    ...linux
  } = spec.linux as { sysctl: unknown; namespaces: { type: string }[] };
  const own = namespaces.map(({ type }) => ({ type }));
  const mounts = (spec.mounts as { type: string }[]).filter(({ type }) => type !== "bind");
  return { ...spec, mounts, linux: { ...linux, namespaces: own } };
}
