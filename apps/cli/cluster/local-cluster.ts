import { isOwnApi } from "../find-api.ts";
import { readCluster } from "./cluster-file.ts";
import type { Layout } from "./layout.ts";
import { findByArgument } from "./process-table.ts";
import { type Programs, processesOf } from "./processes.ts";
import { isReady } from "./supervisor.ts";
import { supervisorOf } from "./supervisor-lock.ts";

export interface ProcessStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly ready: boolean;
}

/** The processes of a cluster on this machine, as the kernel shows them at this moment. */
export interface LocalCluster {
  readonly supervisor: number | null;
  readonly processes: readonly ProcessStatus[];
}

/** The cluster in a data directory; undefined when there is none, or when `api` is the address of another. */
export async function localCluster(
  layout: Layout,
  programs: Programs,
  api: string | undefined,
): Promise<LocalCluster | undefined> {
  const cluster = await readCluster(layout);
  if (cluster === undefined || !isOwnApi(cluster, api)) return undefined;
  const processes = processesOf(cluster, layout, programs).map(async (service): Promise<ProcessStatus> => {
    const pid = findByArgument(service.flag, service.settings)?.pid ?? null;
    return { name: service.name, pid, ready: pid !== null && (await isReady(service)) };
  });
  return { supervisor: supervisorOf(layout.root)?.pid ?? null, processes: await Promise.all(processes) };
}
