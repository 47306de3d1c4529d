import type { Command } from "commander";
import type { LocalCluster, ProcessStatus } from "../cluster/local-cluster.ts";
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

export function registerStatus(program: Command, context: CliContext): void {
  program
    .command("status")
    .summary("how the cluster is: processes, hosts, machines")
    .description(
      "Shows the processes of the local cluster, the hosts and what they have promised, and how many machines there " +
        "are. The exit code is 0 only when all of it is as it should be.",
    )
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover status\n")
    .action(async (flags: CommonFlags) => status(context, flags));
}

async function status(context: CliContext, flags: CommonFlags): Promise<void> {
  // Loaded when it is needed: `--help` shall be quick.
  const { localCluster } = await import("../cluster/local-cluster.ts");
  const local = await localCluster(context.layout(flags), context.programs, context.settings.api);
  const cluster = await askApi(context, flags).catch((thrown: unknown) => {
    // Of a local cluster the processes still tell something, and that is what one wants to see then.
    if (local === undefined) throw thrown;
    return errorLine(thrown);
  });
  const problem = problemOf(local, cluster);
  const parts = [
    ...(local === undefined ? [] : [processTable(local)]),
    ...(typeof cluster === "string" ? [] : [hostTable(cluster)]),
    ...(problem === undefined ? [] : [problem]),
  ];
  const value = {
    ...local,
    ...(typeof cluster === "string" ? {} : cluster),
    ...(problem === undefined ? {} : { error: problem }),
  };
  context.output(flags).result(value, parts.join("\n\n"));
  if (problem !== undefined) process.exitCode = 1;
}

async function askApi(context: CliContext, flags: CommonFlags): Promise<ClusterStatus> {
  const api = await context.api(flags);
  return api.get<ClusterStatus>("/drover/v1/status", "hosts");
}

/** What is not as it should be, and what to do; undefined when all is well. `cluster`: why it is not known, if not. */
function problemOf(local: LocalCluster | undefined, cluster: ClusterStatus | string): string | undefined {
  const dead = local?.processes.filter(({ pid }) => pid === null).map(({ name }) => name) ?? [];
  if (local?.supervisor === null) {
    const what = dead.length === local.processes.length ? "nothing of it runs" : "what dies now stays dead";
    return `no supervisor, so ${what}: \`drover up --detach\` starts or adopts all`;
  }
  if (dead.length > 0)
    return `not running: ${dead.join(", ")}; the supervisor starts them again, see their logs`;
  if (typeof cluster === "string") return cluster;
  const waiting = local?.processes.filter(({ ready }) => !ready).map(({ name }) => name) ?? [];
  if (waiting.length > 0) return `not ready: ${waiting.join(", ")}; see their logs`;
  if (cluster.stale) return "the hub does not answer: this is the last that was heard";
  const silent = cluster.hosts.filter((host) => host.status !== "ok").map(({ id }) => id);
  return silent.length === 0
    ? undefined
    : `out of reach: ${silent.join(", ")}; their machines go on without us`;
}

function processTable({ processes, supervisor }: LocalCluster): string {
  const rows = processes.map((process) => [process.name, pidText(process.pid), stateOf(process)]);
  const first = ["supervisor", pidText(supervisor), supervisor === null ? "not running" : "running"];
  return table(["PROCESS", "PID", "STATE"], [first, ...rows]);
}

function pidText(pid: number | null): string {
  return pid === null ? "-" : String(pid);
}

function stateOf({ pid, ready }: ProcessStatus): string {
  if (pid === null) return "not running";
  return ready ? "ready" : "not ready";
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
  const header = ["HOST", "STATE", "RUNNING", "CPU MILLIS", "MEMORY MIB"];
  return `${table(header, rows)}\n\n${machines}`;
}
