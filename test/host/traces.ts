import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isWaiting } from "./container-process.ts";
import type { HostPlace } from "./host-lab.ts";

/** What of one machine stands on this computer, without what differs from run to run. */
export interface Traces {
  readonly networkNamespaces: number;
  readonly links: number;
  readonly mounts: number;
  readonly layers: number;
  readonly bundles: number;
  readonly exitFiles: number;
  readonly controlGroups: number;
  readonly readyProcesses: number;
  readonly runningProcesses: number;
  /** How often its process began. */
  readonly runs: number;
}

export const NO_TRACES: Traces = {
  ...{ networkNamespaces: 0, links: 0, mounts: 0, layers: 0, bundles: 0 },
  ...{ exitFiles: 0, controlGroups: 0, readyProcesses: 0, runningProcesses: 0, runs: 0 },
};

/** Looks with our own eyes, not through the adapters. */
export function tracesOf({ names, dataDir }: HostPlace, machineId: string): Traces {
  const mine = (entries: readonly string[]) => entries.filter((entry) => entry.includes(machineId)).length;
  const groups = controlGroups(names.cgroupParent, machineId);
  const pids = new Set(groups.flatMap((group) => processesIn(group)).map(Number));
  const ready = [...pids].filter(isWaiting).length;
  return {
    networkNamespaces: mine(list("/run/netns").filter((netns) => netns.startsWith(names.bridge))),
    links: list("/sys/class/net").filter((link) => link === names.vethOf(machineId)).length,
    mounts: mine(readFileSync("/proc/self/mounts", "utf8").split("\n")),
    layers: list(join(dataDir, "machines", machineId)).length,
    bundles: mine(list(join(dataDir, "run", "bundles"))),
    exitFiles: mine(list(join(dataDir, "run", "exits"))),
    controlGroups: Math.min(1, groups.length),
    readyProcesses: ready,
    runningProcesses: Math.min(1, pids.size - ready),
    runs: countOf(join(dataDir, "logs", machineId), "began"),
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The machine's control groups, in whichever hierarchies there are. */
function controlGroups(parent: string, machineId: string): string[] {
  const roots = ["/sys/fs/cgroup", ...list("/sys/fs/cgroup").map((each) => join("/sys/fs/cgroup", each))];
  return roots.flatMap((root) =>
    list(join(root, parent))
      .filter((group) => group.includes(machineId))
      .map((group) => join(root, parent, group)),
  );
}

function processesIn(group: string): string[] {
  try {
    return readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** The file that is being written stands there under two names. */
function countOf(folder: string, word: string): number {
  const texts = new Map<number, string>();
  for (const file of list(folder)) {
    const path = join(folder, file);
    texts.set(statSync(path).ino, readFileSync(path, "utf8"));
  }
  return [...texts.values()].join("").split(` ${word}\n`).length - 1;
}
