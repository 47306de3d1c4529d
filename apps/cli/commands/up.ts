import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { Cluster } from "../cluster/cluster-file.ts";
import type { RunningCluster, UpOptions } from "../cluster/run-cluster.ts";
import type { Report } from "../cluster/supervised-process.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import type { Output } from "../output.ts";
import { errorLine } from "../output.ts";
import { parseListen } from "../settings.ts";
import { assertRoot } from "./root.ts";

interface UpFlags extends CommonFlags {
  readonly hosts?: string;
  readonly runtime: string;
  readonly detach?: boolean;
  readonly nats?: string;
  readonly api?: string;
  readonly http?: string;
  readonly readyTimeout: string;
  readonly unsafeNoSync?: boolean;
}

/** What a supervisor in the background tells the `up --detach` that started it. */
type SupervisorMessage =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "ready"; readonly cluster: Cluster }
  | { readonly kind: "failed"; readonly message: string };

export function registerUp(program: Command, context: CliContext): void {
  program
    .command("up")
    .summary("start a local cluster, or adopt the one that runs")
    .description(
      "Starts a local cluster of separate processes: hub, hosts (NATS leaf and agent), scheduler, api. What dies is " +
        "started again; killing the supervisor stops nothing and the next `up` adopts all. Ctrl-C stops the services; " +
        "machines and data stay.",
    )
    .option("--hosts <n>", "hosts to simulate on this machine (default: 3, or what the cluster has)")
    .option("--runtime <kind>", "auto, container or microvm", "auto")
    .option("--data <dir>", "data directory (default: .drover/data of the project)")
    .option("--detach", "leave it running in the background")
    .option("--nats <host:port>", "where the hub listens (default: 127.0.0.1:4222)")
    .option("--api <host:port>", "where the Machines API listens (default: 127.0.0.1:4280)")
    .option("--http <host:port>", "where the router will listen (default: 127.0.0.1:8080)")
    .option("--ready-timeout <seconds>", "give up when it does not serve by then", "120")
    .option("--unsafe-no-sync", "accept NATS servers that acknowledge before writes are on disk")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover up --hosts 3 --detach\n")
    .action(async (flags: UpFlags) => up(context, flags));
  program
    .command("supervise", { hidden: true })
    .requiredOption("--options <json>")
    .action(async (flags: { options: string }) => supervise(context, JSON.parse(flags.options) as UpOptions));
}

async function up(context: CliContext, flags: UpFlags): Promise<void> {
  assertRoot("up");
  const output = context.output(flags);
  const options = optionsOf(context, flags);
  if (flags.detach === true) {
    announce(output, await inBackground(context, options, output), options.dataDir);
    return;
  }
  const stopping = new Promise<void>((done) => {
    process.once("SIGINT", () => done());
    process.once("SIGTERM", () => done());
  });
  const running = await start(context, options, output.progress);
  announce(output, running.cluster, options.dataDir);
  await stopping;
  output.progress("stopping the services; machines and data stay");
  await running.stop();
}

/** Loaded when it is needed: most commands shall start fast. */
async function start(context: CliContext, options: UpOptions, report: Report): Promise<RunningCluster> {
  const { runCluster } = await import("../cluster/run-cluster.ts");
  return runCluster(options, context.programs, report, context.clock, context.ids);
}

/** The supervisor of `up --detach`: talks to its starter until all is ready, then only to its log. */
async function supervise(context: CliContext, options: UpOptions): Promise<void> {
  const tell = (message: SupervisorMessage) => {
    if (process.connected) process.send?.(message);
  };
  const stopping = new Promise<void>((done) => {
    process.once("SIGINT", () => done());
    process.once("SIGTERM", () => done());
  });
  const report = (text: string) => {
    process.stderr.write(`${new Date(context.clock.nowMs()).toISOString()} ${text}\n`);
    tell({ kind: "progress", text });
  };
  try {
    const running = await start(context, options, report);
    tell({ kind: "ready", cluster: running.cluster });
    if (process.connected) process.disconnect();
    await stopping;
    await running.stop();
  } catch (error) {
    report(errorLine(error));
    tell({ kind: "failed", message: errorLine(error) });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  }
}

async function inBackground(context: CliContext, options: UpOptions, output: Output): Promise<Cluster> {
  const layout = context.layout({ data: options.dataDir });
  mkdirSync(layout.logsDir, { recursive: true, mode: 0o700 });
  const log = openSync(layout.logFile("supervisor"), "a", 0o600);
  const args = ["--enable-source-maps", process.argv[1]!, "supervise", "--options", JSON.stringify(options)];
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", log, log, "ipc"] });
  closeSync(log);
  return new Promise<Cluster>((done, fail) => {
    const interrupted = () => {
      child.kill("SIGTERM");
      fail(new RefusedError(refusal("cancelled", "interrupted: the cluster was stopped again")));
    };
    process.once("SIGINT", interrupted);
    child.on("message", (message: SupervisorMessage) => {
      if (message.kind === "progress") output.progress(message.text);
      if (message.kind === "failed") fail(new Error(message.message));
      if (message.kind !== "ready") return;
      process.off("SIGINT", interrupted);
      child.unref();
      done(message.cluster);
    });
    child.once("exit", (code, signal) => {
      const message = `the supervisor ended (${signal ?? code}): see ${layout.logFile("supervisor")}`;
      fail(new Error(message));
    });
  });
}

function optionsOf(context: CliContext, flags: UpFlags): UpOptions {
  const hosts = flags.hosts === undefined ? undefined : wholeNumber(flags.hosts, "--hosts", 1, 64);
  if (!["auto", "container"].includes(flags.runtime)) {
    const known = flags.runtime === "microvm";
    const message = known
      ? "--runtime microvm is not there yet: use auto or container"
      : `--runtime: "${flags.runtime}" is none of auto, container, microvm`;
    throw new RefusedError(refusal(known ? "unsupported" : "invalid", message));
  }
  const { nats = context.settings.nats, api = context.settings.api, http = context.settings.http } = flags;
  return {
    dataDir: context.layout(flags).root,
    hosts,
    nats: nats === undefined ? undefined : parseListen(nats, "--nats"),
    api: api === undefined ? undefined : parseListen(api, "--api"),
    http: http === undefined ? undefined : parseListen(http, "--http"),
    allowUnsafe: flags.unsafeNoSync === true,
    readyTimeoutMs: wholeNumber(flags.readyTimeout, "--ready-timeout", 1, 3_600) * 1_000,
  };
}

/** A whole number from `least` to `most`. Throws a refusal that names the flag. */
export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RefusedError(
    refusal("invalid", `${flag}: "${text}" is not a whole number from ${least} to ${most}`),
  );
}

function announce(output: Output, cluster: Cluster, dataDir: string): void {
  const api = `http://${cluster.api.host}:${cluster.api.port}/v1`;
  const nats = `nats://${cluster.nats.host}:${cluster.nats.port}`;
  const hosts = cluster.hosts.map((host) => host.hostId);
  const text = `Drover serves.
  Machines API  ${api}
  hub NATS      ${nats}
  hosts         ${hosts.join(", ")}
  data          ${dataDir} (token: ${dataDir}/token)

Next:
  drover run oci:PATH          run an image
  drover status                see hosts and machines
  drover down                  stop the services`;
  output.result({ api, nats, hosts, clusterId: cluster.clusterId, region: cluster.region, dataDir }, text);
}
