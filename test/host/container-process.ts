import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostPlace } from "./host-lab.ts";

/** Pids of the first processes of a machine's containers, as their bundles name them, those that live and have begun. */
export function processesOf({ dataDir }: HostPlace, machineId: string): number[] {
  const bundles = join(dataDir, "run", "bundles");
  return readdirSync(bundles)
    .filter((bundle) => bundle.startsWith(machineId))
    .map((bundle) => pidIn(join(bundles, bundle, "container.pid")))
    .filter((pid) => pid > 0 && existsSync(`/proc/${pid}`) && !isWaiting(pid));
}

/** Whether it is still the runtime's, in a container that stands ready and was not launched. */
export function isWaiting(pid: number): boolean {
  try {
    return /^(runc:\[|crun)/.test(readFileSync(`/proc/${pid}/comm`, "utf8"));
  } catch {
    return false; // it is gone
  }
}

function pidIn(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0; // not there yet, or no more
  }
}

/** Looks again and again until it is so. Nothing tells of what happens outside. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((done) => setTimeout(done, 30));
  }
}
