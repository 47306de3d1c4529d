import type { Command } from "commander";
import type { Ended } from "../cluster/end-cluster.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { assertRoot } from "./root.ts";

interface DownFlags extends CommonFlags {
  readonly purge?: boolean;
}

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
  // Loaded when it is needed: `--help` shall be quick.
  const { endCluster } = await import("../cluster/end-cluster.ts");
  const ended = await endCluster(layout, context.programs, flags.purge === true, output.progress);
  const { stopped, purged, kept } = ended;
  output.result({ stopped, purged, ...(kept.length === 0 ? {} : { kept }) }, textOf(ended, layout.root));
}

function textOf({ nothing, purged, kept }: Ended, root: string): string {
  if (nothing !== undefined) return `nothing to stop: ${nothing}`;
  if (!purged) return "stopped; machines and data stay";
  if (kept.length === 0) return "stopped, and everything of it removed";
  return `stopped, and everything of it removed; ${root} stays, for it holds what is not Drover's: ${kept.join(", ")}`;
}
