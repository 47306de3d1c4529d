import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { readCluster } from "../cluster/cluster-file.ts";
import type { Layout } from "../cluster/layout.ts";
import { identityOf, isAlive, signalProcess } from "../cluster/process-table.ts";
import { processesOf } from "../cluster/processes.ts";
import { stopLeftovers } from "../cluster/supervisor.ts";
import { supervisorPid } from "../cluster/supervisor-lock.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { assertRoot } from "./root.ts";

interface DownFlags extends CommonFlags {
  readonly purge?: boolean;
}

const SUPERVISOR_PATIENCE_MS = 30_000;
const SERVICE_PATIENCE_MS = 8_000;

export function registerDown(program: Command, context: CliContext): void {
  program
    .command("down")
    .summary("stop the cluster; with --purge remove everything of it")
    .description(
      "Stops the services of a local cluster. Its machines go on running and its data stays, unless --purge: then " +
        "machines, mounts, namespaces, cgroups, networks and all data are removed.",
    )
    .option("--purge", "remove machines and data, too")
    .option("--data <dir>", "data directory (default: .drover/data of the project)")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover down --purge\n")
    .action(async (flags: DownFlags) => down(context, flags));
}

async function down(context: CliContext, flags: DownFlags): Promise<void> {
  assertRoot("down");
  const output = context.output(flags);
  const layout = context.layout(flags);
  if (!existsSync(layout.root)) {
    output.result({ stopped: 0, purged: false }, `nothing to stop: ${layout.root} is not there`);
    return;
  }
  await endSupervisor(layout);
  const cluster = await readCluster(layout);
  if (cluster === undefined) {
    output.result({ stopped: 0, purged: false }, `nothing to stop: there is no cluster in ${layout.root}`);
    return;
  }
  const services = processesOf(cluster, layout, context.programs);
  const stopped = await stopLeftovers(services, SERVICE_PATIENCE_MS);
  if (flags.purge === true) {
    // Loaded when it is needed: most commands shall start fast.
    const { purgeCluster } = await import("../cluster/purge-cluster.ts");
    await purgeCluster(cluster, layout, output.progress);
  }
  const text =
    flags.purge === true ? "stopped, and everything of it removed" : "stopped; machines and data stay";
  output.result({ stopped, purged: flags.purge === true }, text);
}

/** The supervisor stops what it supervises, in order, before it ends. */
async function endSupervisor(layout: Layout): Promise<void> {
  const pid = await supervisorPid(layout.root);
  const supervisor = pid === undefined ? undefined : identityOf(pid);
  if (supervisor === undefined) return;
  signalProcess(supervisor, "SIGTERM");
  const until = performance.now() + SUPERVISOR_PATIENCE_MS;
  while (isAlive(supervisor)) {
    if (performance.now() > until) {
      // What it leaves behind is found by its arguments and stopped one by one.
      signalProcess(supervisor, "SIGKILL");
    }
    await sleep(20);
  }
}
