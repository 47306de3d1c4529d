import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { Cluster } from "../cluster/cluster-file.ts";
import type { Layout } from "../cluster/layout.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { wholeNumber } from "../settings.ts";

interface SettingsFlags extends CommonFlags {
  readonly hosts: string;
  readonly volumes: string;
  readonly router: string;
}

interface DemoFlags extends CommonFlags {
  readonly image: string;
}

const SETTINGS_EXAMPLE =
  "\nExample:\n  $ drover compose settings --data /drover --volumes /volumes --router 172.28.64.20\n";

/** What the containers of docker-compose.yml run beside the services themselves. Nobody types these. */
export function registerCompose(program: Command, context: CliContext): void {
  const compose = program
    .command("compose", { hidden: true })
    .description("Is what containers of docker-compose.yml run.")
    .addHelpText("after", "\nExample:\n  $ drover compose routes --data /drover\n");
  registerSettings(compose, context);
  registerRunning(compose, context);
  registerDemo(compose, context);
}

function registerSettings(compose: Command, context: CliContext): void {
  compose
    .command("settings")
    .description("Write each container's settings into its volume.")
    .option("--hosts <n>", "hosts of the cluster", "3")
    .requiredOption(
      "--volumes <dir>",
      "where the containers' volumes are mounted, each by its container's name",
    )
    .requiredOption("--router <address>", "the router's IPv4 address, which hosts let in")
    .requiredOption("--data <dir>", "the cluster's own folder")
    .option("--json", "print JSON only")
    .addHelpText("after", SETTINGS_EXAMPLE)
    .action(async (flags: SettingsFlags) => {
      const { composeCluster } = await import("../compose/compose-cluster.ts");
      const { writeVolumes } = await import("../compose/write-volumes.ts");
      const hosts = wholeNumber(flags.hosts, "--hosts", 1, 64);
      const layout = context.layout(flags);
      const cluster = await composeCluster(layout, hosts, context.clock, context.ids);
      await writeVolumes(cluster, layout, flags.volumes, [flags.router], context.ids);
      context.output(flags).progress(`settings of cluster ${cluster.clusterId} written`);
    });
}

function registerRunning(compose: Command, context: CliContext): void {
  compose
    .command("host <host>")
    .description("Run leaf and agent of a host.")
    .requiredOption("--data <dir>", "the container's folder")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover compose host host-1 --data /drover\n")
    .action(async (hostId: string, flags: CommonFlags) => {
      const { superviseHost } = await import("../compose/supervise-host.ts");
      const layout = context.layout(flags);
      const report = context.output(flags).progress;
      await superviseHost(await clusterOf(layout), hostId, layout, context.programs, report);
    });
  compose
    .command("routes")
    .description("Lead the hosts' networks to their containers.")
    .requiredOption("--data <dir>", "the container's folder")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover compose routes --data /drover\n")
    .action(async (flags: CommonFlags) => {
      const { routeToHosts } = await import("../compose/host-routes.ts");
      await routeToHosts(await clusterOf(context.layout(flags)));
    });
}

function registerDemo(compose: Command, context: CliContext): void {
  compose
    .command("image <folder>")
    .description("Write the demo app's image.")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover compose image /opt/drover/hello\n")
    .action(async (folder: string) => {
      const { HELLO_IMAGE } = await import("../demo/hello-image.ts");
      const { writeOciLayout } = await import("#small-image");
      await writeOciLayout(folder, HELLO_IMAGE, context.busybox);
    });
  compose
    .command("demo")
    .description("Make the demo app where there is none yet.")
    .requiredOption("--data <dir>", "the cluster's own folder")
    .requiredOption("--image <reference>", "its image, as the hosts find it")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      "\nExample:\n  $ drover compose demo --data /drover --image oci:/opt/drover/hello\n",
    )
    .action(async (flags: DemoFlags) => {
      const { API } = await import("../compose/compose-cluster.ts");
      const { createHello } = await import("../demo/create-hello.ts");
      const layout = context.layout(flags);
      await createHello(await clusterOf(layout), layout, API, async () => flags.image);
    });
}

async function clusterOf(layout: Layout): Promise<Cluster> {
  const { readCluster } = await import("../cluster/cluster-file.ts");
  const cluster = await readCluster(layout);
  if (cluster !== undefined) return cluster;
  throw new RefusedError(refusal("not_found", `${layout.root} holds no cluster: write its settings first`));
}
