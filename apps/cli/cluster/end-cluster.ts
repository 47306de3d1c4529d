import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readCluster } from "./cluster-file.ts";
import type { Layout } from "./layout.ts";
import { isAlive, signalProcess } from "./process-table.ts";
import { type Programs, processesOf } from "./processes.ts";
import { purgeCluster } from "./purge-cluster.ts";
import type { Report } from "./supervised-process.ts";
import { stopLeftovers } from "./supervisor.ts";
import { SupervisorLock, supervisorOf } from "./supervisor-lock.ts";

/** What became of a cluster. */
export interface Ended {
  /** Why there was nothing to do, when there was not. */
  readonly nothing?: string;
  /** Processes that no supervisor stopped. */
  readonly stopped: number;
  readonly purged: boolean;
  /** Of a purged data directory: what was not the cluster's, and stays. */
  readonly kept: readonly string[];
}

const SUPERVISOR_PATIENCE_MS = 30_000;

/** Ends a cluster's supervisor and services, and with `purge` removes all of it. Nobody else begins meanwhile. */
export async function endCluster(
  layout: Layout,
  programs: Programs,
  purge: boolean,
  report: Report,
): Promise<Ended> {
  const none = { stopped: 0, purged: false, kept: [] };
  if (!existsSync(layout.root)) return { ...none, nothing: `${layout.root} is not there` };
  const ending = await SupervisorLock.take(layout.root, "end");
  const supervised = await endSupervisor(layout);
  const lock = await SupervisorLock.take(layout.root);
  try {
    const cluster = await readCluster(layout);
    if (cluster === undefined) return { ...none, nothing: `there is no cluster in ${layout.root}` };
    const stopped = await stopLeftovers(processesOf(cluster, layout, programs));
    if (!purge && !supervised && stopped === 0)
      return { ...none, nothing: `no process of the cluster in ${layout.root} runs; machines and data stay` };
    const kept = purge ? await purgeCluster(cluster, layout, report) : [];
    return { stopped, purged: purge, kept };
  } finally {
    lock.release();
    ending.release();
  }
}

/** The supervisor stops what it supervises, in order, before it ends. Returns whether there was one. */
async function endSupervisor(layout: Layout): Promise<boolean> {
  const supervisor = supervisorOf(layout.root);
  if (supervisor === undefined) return false;
  signalProcess(supervisor, "SIGTERM");
  const until = performance.now() + SUPERVISOR_PATIENCE_MS;
  while (isAlive(supervisor)) {
    // What it leaves behind is found by its arguments and stopped one by one.
    if (performance.now() > until) signalProcess(supervisor, "SIGKILL");
    await sleep(20);
  }
  return true;
}
