import type { Command } from "commander";
import { readCluster } from "../cluster/cluster-file.ts";
import { findByArgument } from "../cluster/process-table.ts";
import { processesOf } from "../cluster/processes.ts";
import { isReady } from "../cluster/supervisor.ts";
import { supervisorPid } from "../cluster/supervisor-lock.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { errorLine, table } from "../output.ts";

/** Of the API's `/drover/v1/status`. */
interface ClusterStatus {
  readonly region: string;
  readonly stale: boolean;
  readonly hosts: readonly {
    readonly id: string;
    readonly status: string;
    readonly machines: number;
    readonly running: number;
    readonly cpu_millis: { readonly promised: number; readonly capacity: number };
    readonly memory_mib: { readonly promised: number; readonly capacity: number };
    readonly cordon?: { readonly owner: string; readonly reason: string };
  }[];
  readonly machines: Readonly<Record<string, number>>;
}

interface ProcessStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly ready: boolean;
}

export function registerStatus(program: Command, context: CliContext): void {
  program
    .command("status")
    .summary("how the cluster is: processes, hosts, machines")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover status\n")
    .action(async (flags: CommonFlags) => status(context, flags));
}

async function status(context: CliContext, flags: CommonFlags): Promise<void> {
  const processes = await localProcesses(context, flags);
  const api = await context.api(flags);
  const cluster = await api.get<ClusterStatus>("/drover/v1/status").catch((thrown: unknown) => {
    // Of a local cluster the processes still tell something, and that is what one wants to see then.
    if (processes === undefined) throw thrown;
    return errorLine(thrown);
  });
  const parts = [
    ...(processes === undefined ? [] : [processTable(processes.list, processes.supervisor)]),
    typeof cluster === "string" ? cluster : hostTable(cluster),
  ];
  const value = {
    ...(processes === undefined ? {} : { supervisor: processes.supervisor, processes: processes.list }),
    ...(typeof cluster === "string" ? { error: cluster } : cluster),
  };
  context.output(flags).result(value, parts.join("\n\n"));
  if (typeof cluster === "string") process.exitCode = 1;
}

async function localProcesses(context: CliContext, flags: CommonFlags) {
  const layout = context.layout(flags);
  const cluster = await readCluster(layout);
  if (cluster === undefined) return undefined;
  const list = await Promise.all(
    processesOf(cluster, layout, context.programs).map(async (service): Promise<ProcessStatus> => {
      const pid = findByArgument(service.flag, service.settings)?.pid ?? null;
      return { name: service.name, pid, ready: pid !== null && (await isReady(service)) };
    }),
  );
  return { supervisor: (await supervisorPid(layout.root)) ?? null, list };
}

function processTable(processes: readonly ProcessStatus[], supervisor: number | null): string {
  const rows = processes.map(({ name, pid, ready }) => [
    name,
    pid === null ? "-" : String(pid),
    pid === null ? "not running" : ready ? "ready" : "not ready",
  ]);
  const supervised = ["supervisor", supervisor === null ? "-" : String(supervisor)];
  return table(
    ["PROCESS", "PID", "STATE"],
    [[...supervised, supervisor === null ? "not running" : "running"], ...rows],
  );
}

function hostTable(cluster: ClusterStatus): string {
  const rows = cluster.hosts.map((host) => [
    host.id,
    host.cordon === undefined ? host.status : `${host.status}, cordoned by ${host.cordon.owner}`,
    `${host.running}/${host.machines}`,
    `${host.cpu_millis.promised}/${host.cpu_millis.capacity}`,
    `${host.memory_mib.promised}/${host.memory_mib.capacity}`,
  ]);
  const counts = Object.entries(cluster.machines).map(([state, count]) => `${count} ${state}`);
  const machines = counts.length === 0 ? "no machines yet" : `machines: ${counts.join(", ")}`;
  const stale = cluster.stale ? "\nthe hub does not answer: this is the last that was heard" : "";
  const header = ["HOST", "STATE", "RUNNING", "CPU MILLIS", "MEMORY MIB"];
  return `${table(header, rows)}\n\n${machines}${stale}`;
}
