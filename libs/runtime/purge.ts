import { rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "./command.ts";
import { Cgroups } from "./containers/cgroups.ts";
import { identify, type ProcessIdentity, processesWhose, signalTo } from "./containers/processes.ts";
import { ifMissing, listFolder } from "./files.ts";
import type { HostNames } from "./names.ts";
import { BOX_FOLDER } from "./network/port-claims.ts";
import { networkLeftovers, purgeNetwork } from "./network/purge-network.ts";
import { removeTree } from "./remove-tree.ts";
import { mountsUnder } from "./rootfs/mounts.ts";
import { detachLoops, loopsBelow } from "./volumes/loop-pool.ts";

const POLL_MS = 20;
const DYING_MS = 8_000;

/**
 * Removes every trace of a host: processes, control groups, network, mounts, folders. Works from the host's names and
 * from what the kernel shows, never from records, so that it also ends what is half gone. The host's agent must not
 * run. `report` is told of each thing that goes. Returns what could not be removed, one line each.
 */
export async function purgeHost(
  names: HostNames,
  dataDir: string,
  report: (line: string) => void,
): Promise<string[]> {
  if (dataDir !== resolve(dataDir) || dirname(dataDir) === "/")
    throw new Error(`not a data directory: ${dataDir}`);
  const cgroups = new Cgroups();
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await attempt("processes", () => killAll(names, cgroups, report));
  await attempt("control groups", () => removeGroups(names, cgroups));
  await attempt("network", () => purgeNetwork(names));
  for (const folder of [dataDir, names.runFolder]) {
    await attempt(folder, () => unmountAll(folder, report));
    await attempt(folder, () => detachLoops(folder));
    if ((await mountsUnder(folder)).length === 0) await attempt(folder, () => removeTree(folder));
  }
  await attempt(BOX_FOLDER, leaveBox);
  const left = await leftovers(names, dataDir, cgroups);
  return left.length === 0 ? [] : [...left, ...failures];
}

async function killAll(names: HostNames, cgroups: Cgroups, report: (line: string) => void): Promise<void> {
  for (let waitedMs = 0; waitedMs < DYING_MS; waitedMs += POLL_MS) {
    const processes = processesOf(names, cgroups);
    if (processes.length === 0) return;
    if (waitedMs === 0) report(`killing ${processes.length} processes`);
    for (const process of processes) signalTo(process, "SIGKILL");
    cgroups.thaw(names.cgroupParent);
    await sleep(POLL_MS); // nothing tells when a process that is not our child has ended
  }
}

/** The kernel calls a group busy for some time after the last of its processes has gone out of its list. */
async function removeGroups({ cgroupParent }: HostNames, cgroups: Cgroups): Promise<void> {
  for (let waitedMs = 0; waitedMs < DYING_MS && !cgroups.remove(cgroupParent); waitedMs += POLL_MS)
    await sleep(POLL_MS);
}

/** What is in the host's control groups, and monitors and runtime commands that name its runtime root. */
function processesOf(names: HostNames, cgroups: Cgroups): ProcessIdentity[] {
  const members = cgroups.pidsIn(names.cgroupParent).map(identify);
  const atWork = processesWhose((argv) => argv.includes(names.runtimeRoot));
  const all = new Map(
    [...members, ...atWork].flatMap((process) => (process ? [[process.pid, process]] : [])),
  );
  return [...all.values()];
}

/** The last mounted goes first. One that is in use is detached: it goes as soon as whoever uses it ends. */
async function unmountAll(folder: string, report: (line: string) => void): Promise<void> {
  for (const point of (await mountsUnder(folder)).reverse()) {
    report(`unmounting ${point}`);
    const umount = ["umount", "--no-canonicalize"];
    await runCommand([...umount, "--", point]).catch(() => runCommand([...umount, "--lazy", "--", point]));
  }
}

/** Removes what the hosts of a box share, once nobody has anything in it. */
async function leaveBox(): Promise<void> {
  for (const folder of [`${BOX_FOLDER}/ports`, BOX_FOLDER]) {
    const isEmpty = (await listFolder(folder)).length === 0;
    if (isEmpty) await rmdir(folder).catch(ifMissing(undefined));
  }
}

async function leftovers(names: HostNames, dataDir: string, cgroups: Cgroups): Promise<string[]> {
  const folders = [dataDir, names.runFolder];
  const mounts = await Promise.all(folders.map(mountsUnder));
  const files = await Promise.all(
    folders.map(async (folder) => ((await listFolder(folder)).length > 0 ? [`folder ${folder}`] : [])),
  );
  return [
    ...processesOf(names, cgroups).map(({ pid }) => `process ${pid}`),
    ...(cgroups.exists(names.cgroupParent) ? [`control group ${names.cgroupParent}`] : []),
    ...(await networkLeftovers(names)),
    ...mounts.flat().map((point) => `mount ${point}`),
    ...(await loopsBelow(dataDir)).map((device) => `loop device ${device}`),
    ...files.flat(),
  ];
}
