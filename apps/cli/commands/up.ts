import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { Cluster } from "../cluster/cluster-file.ts";
import type { UpOptions } from "../cluster/run-cluster.ts";
import type { Report } from "../cluster/supervised-process.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import type { Hello } from "../demo/make-hello.ts";
import { errorLine, type Output } from "../output.ts";
import { addressOf, parseListen, wholeNumber } from "../settings.ts";
import { inBackground, type Serving, tellStarter } from "./background.ts";
import { consoleUrl } from "./console.ts";
import { assertRoot } from "./root.ts";

interface UpFlags extends CommonFlags {
  readonly hosts?: string;
  readonly routers?: string;
  readonly demo: boolean;
  readonly runtime: string;
  readonly detach?: boolean;
  readonly nats?: string;
  readonly api?: string;
  readonly http?: string;
  readonly readyTimeout: string;
  readonly unsafeNoSync?: boolean;
}

export function registerUp(program: Command, context: CliContext): void {
  program
    .command("up")
    .summary("start a local cluster, or adopt the one that runs")
    .description(
      "Starts a local cluster of separate processes: hub, hosts (NATS leaf and agent), scheduler, api, router. What " +
        "dies is started again; killing the supervisor stops nothing and the next `up` adopts all. Ctrl-C stops the " +
        "services; machines and data stay. In an empty cluster it makes a demo app `hello` that sleeps when nobody wants " +
        "it and wakes up for a request.",
    )
    .option("--hosts <n>", "hosts to simulate on this machine (default: 3, or what the cluster has)")
    .option(
      "--routers <n>",
      "routers: the first at --http, others on the ports that follow (default: 1, or what it has)",
    )
    .option("--no-demo", "make no demo app")
    .option("--runtime <kind>", "auto, container or microvm", "auto")
    .option("--data <dir>", "data directory (default: .drover/data of the project)")
    .option("--detach", "leave it running in the background")
    .option("--nats <host:port>", "where the hub listens (default: 127.0.0.1:4222)")
    .option("--api <host:port>", "where the Machines API listens (default: 127.0.0.1:4280)")
    .option("--http <host:port>", "where the router listens (default: 127.0.0.1:8080)")
    .option("--ready-timeout <seconds>", "give up when it does not serve by then", "120")
    .option("--unsafe-no-sync", "accept NATS servers that acknowledge before writes are on disk")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover up --hosts 3 --detach\n")
    .action(async (flags: UpFlags) => up(context, flags));
  program
    .command("supervise", { hidden: true })
    .description("Is the supervisor of `up --detach`.")
    .requiredOption("--options <json>", "what `up` was asked for")
    .addHelpText("after", "\nExample:\n  $ drover up --detach\n")
    .action(async (flags: { options: string }) => {
      const { databaseUrl } = context.settings;
      await supervise(context, { ...(JSON.parse(flags.options) as UpOptions), databaseUrl });
    });
}

async function up(context: CliContext, flags: UpFlags): Promise<void> {
  assertRoot("up");
  const output = context.output(flags);
  const options = optionsOf(context, flags);
  if (flags.detach === true) {
    const layout = context.layout({ data: options.dataDir });
    announce(context, output, await inBackground(layout, options, context.programs, output), options);
    return;
  }
  surviveClosedStreams();
  await serve(context, options, output.progress, (serving) => announce(context, output, serving, options));
}

/** Runs the cluster until it is told to end. `onReady` is called once it serves. */
async function serve(
  context: CliContext,
  options: UpOptions,
  report: Report,
  onReady: (serving: Serving) => void,
): Promise<void> {
  const interrupted = new AbortController();
  const stopping = new Promise<void>((done) => {
    const stop = () => {
      report("stopping the services; machines and data stay");
      interrupted.abort();
      done();
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
  });
  // Loaded when it is needed: `--help` shall be quick.
  const { runCluster } = await import("../cluster/run-cluster.ts");
  const { programs, clock, ids } = context;
  const { cluster, stop } = await runCluster(options, programs, report, clock, ids, interrupted.signal);
  const hello = options.demo ? await demo(context, options, cluster, report) : undefined;
  onReady({ cluster, ...(hello === undefined ? {} : { hello }) });
  await stopping;
  await stop();
}

async function demo(context: CliContext, { dataDir }: UpOptions, cluster: Cluster, report: Report) {
  const { makeHello } = await import("../demo/make-hello.ts");
  const layout = context.layout({ data: dataDir });
  return makeHello(cluster, layout, context.busybox, context.clock, report);
}

/** A supervisor goes on when whoever read its words has gone (`up | head`, `up 2>&1 | grep -m1 serves`). */
function surviveClosedStreams(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.removeAllListeners("error").on("error", () => undefined);
}

/** The supervisor of `up --detach`: talks to its starter until all is ready, then only to its log. */
async function supervise(context: CliContext, options: UpOptions): Promise<void> {
  surviveClosedStreams();
  const report = (text: string) => {
    process.stderr.write(`${new Date(context.clock.nowMs()).toISOString()} ${text}\n`);
    tellStarter({ kind: "progress", text });
  };
  try {
    await serve(context, options, report, (serving) => {
      tellStarter({ kind: "ready", serving });
      if (process.connected) process.disconnect();
    });
  } catch (error) {
    process.stderr.write(`${new Date(context.clock.nowMs()).toISOString()} ${errorLine(error)}\n`);
    const code = error instanceof RefusedError ? error.refusal.code : "effect_failed";
    tellStarter({ kind: "failed", code, message: errorLine(error) });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  }
}

function optionsOf(context: CliContext, flags: UpFlags): UpOptions {
  const count = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : wholeNumber(text, flag, 1, 64);
  if (!["auto", "container"].includes(flags.runtime)) {
    const known = flags.runtime === "microvm";
    const message = known
      ? "--runtime microvm is not there yet: use auto or container"
      : `--runtime: "${flags.runtime}" is none of auto, container, microvm`;
    throw new RefusedError(refusal(known ? "unsupported" : "invalid", message));
  }
  const { settings } = context;
  return {
    dataDir: context.layout(flags).root,
    hosts: count(flags.hosts, "--hosts"),
    routers: count(flags.routers, "--routers"),
    demo: flags.demo,
    nats: listenOf(flags.nats, "--nats", settings.nats, "DROVER_NATS"),
    api: listenOf(flags.api, "--api", settings.api, "DROVER_API"),
    http: listenOf(flags.http, "--http", settings.http, "DROVER_HTTP"),
    allowUnsafe: flags.unsafeNoSync === true,
    databaseUrl: databaseOf(settings.databaseUrl),
    readyTimeoutMs: wholeNumber(flags.readyTimeout, "--ready-timeout", 1, 3_600) * 1_000,
  };
}

function listenOf(flag: string | undefined, name: string, variable: string | undefined, its: string) {
  if (flag !== undefined) return parseListen(flag, name);
  return variable === undefined ? undefined : parseListen(variable, its);
}

/** Checked without a word of what it holds. */
function databaseOf(url: string | undefined): string | undefined {
  if (url === undefined || /^postgres(ql)?:\/\/\S+$/.test(url)) return url;
  throw new RefusedError(
    refusal("invalid", "DATABASE_URL is not postgres://USER:PASSWORD@HOST:PORT/DATABASE"),
  );
}

function announce(
  context: CliContext,
  output: Output,
  { cluster, hello }: Serving,
  { dataDir }: UpOptions,
): void {
  const api = `http://${addressOf(cluster.api)}/v1`;
  const token = readFileSync(context.layout({ data: dataDir }).tokenFile, "utf8").trim();
  const consoleAt = consoleUrl(`http://${addressOf(cluster.api)}`, token);
  const nats = `nats://${addressOf(cluster.nats)}`;
  const routers = cluster.routers.map(({ port }) => `http://${addressOf({ ...cluster.http, port })}`);
  const hosts = cluster.hosts.map((host) => host.hostId);
  const text = `Drover serves.
  Machines API  ${api}
  console       ${consoleAt}
  router        ${routers.join(", ")} (an app answers at http://APP.localhost:${cluster.http.port}/)
  hub NATS      ${nats}
  hosts         ${hosts.join(", ")}
  data          ${dataDir} (token: ${dataDir}/token)

${nextSteps(hello, dataDir === context.layout({}).root ? "" : ` --data ${dataDir}`)}`;
  const { clusterId, region } = cluster;
  const demo = hello?.kind === "answers" ? { hello: hello.url } : {};
  const problem = hello?.kind === "failed" ? { error: `the demo app could not be made: ${hello.why}` } : {};
  output.result(
    { api, console: consoleAt, routers, nats, hosts, clusterId, region, dataDir, ...demo, ...problem },
    text,
  );
  if (problem.error === undefined) return;
  output.progress(problem.error);
  process.exitCode = 1;
}

/** `where`: the flag by which other commands find a cluster that is not where they look. */
function nextSteps(hello: Hello | undefined, where: string): string {
  const first =
    hello?.kind === "answers"
      ? [
          [`curl ${hello.url}`, "the demo app answers"],
          [`drover stop hello${where}`, "stop its machine; the same curl wakes it"],
        ]
      : [[`drover run oci:PATH${where}`, "run an image"]];
  const steps = [
    ...first,
    [`drover status${where}`, "see hosts and machines"],
    [`drover down${where}`, "stop the services"],
  ] as const;
  const width = Math.max(...steps.map(([command]) => command!.length));
  return ["Next:", ...steps.map(([command, does]) => `  ${command!.padEnd(width)}  ${does}`)].join("\n");
}
