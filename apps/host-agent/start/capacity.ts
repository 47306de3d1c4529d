import { readFile } from "node:fs/promises";
import { arch, availableParallelism } from "node:os";
import type { Resources } from "#contracts";

/** What the host keeps for itself, its log and its monitors. */
const RESERVED_MEMORY_MIB = 256;
const RESERVED_SHARE = 0.05;
const RESERVED_CPU_MILLIS = 100;

/** What really is there, less what the host needs itself (F25). `meminfo`: the text of /proc/meminfo. */
export function capacityOf(meminfo: string, cpus: number): Resources {
  const totalMib = Math.floor(Number(/^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) / 1024);
  const keptMib = Math.max(RESERVED_MEMORY_MIB, Math.ceil(totalMib * RESERVED_SHARE));
  return {
    cpuMillis: Math.max(0, cpus * 1000 - RESERVED_CPU_MILLIS),
    memoryMib: Math.max(0, totalMib - keptMib),
  };
}

/** Measures this machine. */
export async function measureCapacity(): Promise<Resources> {
  return capacityOf(await readFile("/proc/meminfo", "utf8"), availableParallelism());
}

/** What this host can do, for the log and for placement. `mounts`: the text of /proc/self/mounts. */
export function featuresOf(mounts: string): string[] {
  const unified = /^\S+ \/sys\/fs\/cgroup cgroup2 /m.test(mounts);
  return ["container", `arch=${arch()}`, `cgroup=${unified ? "v2" : "v1"}`];
}

export async function measureFeatures(): Promise<string[]> {
  return featuresOf(await readFile("/proc/self/mounts", "utf8"));
}

/** Id of this boot of the host's kernel. */
export async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
