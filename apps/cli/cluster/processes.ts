import { join } from "node:path";
import { addressOf } from "../settings.ts";
import type { Cluster } from "./cluster-file.ts";
import type { Layout } from "./layout.ts";

/** One process of a local cluster, as data: how it is started, recognised and asked whether it is ready. */
export interface ServiceProcess {
  /** "hub", "leaf-<host>", "agent-<host>", "scheduler", "volumes", "api", "router-<n>". */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** The flag and the settings file in `args` by which a running one is recognised. */
  readonly flag: string;
  readonly settings: string;
  /** All of its environment: nothing of the user's own gets into a service. */
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 when it serves. */
  readonly readyUrl: string;
}

/** The programs that processes are started from. */
export interface Programs {
  readonly node: string;
  readonly natsServer: string;
  /** Where programs are found. */
  readonly path: string;
  /** Where Node keeps compiled code between starts: a service starts in half the time. */
  readonly compileCache: string;
  /** Folder of the compiled apps. */
  readonly apps: string;
  /** Another program in the host agent's place: benchmarks put a weightless runtime around it. */
  readonly agentMain?: string;
}

/**
 * PGlite is one large WebAssembly program. Compiling it well keeps two cores busy for half a minute, beside everything else
 * that starts; compiled quickly, as far as it is used, it takes a third of the time and memory and serves as fast.
 */
const PGLITE_OPTIONS = ["--liftoff-only", "--wasm-lazy-compilation"];

/** All processes of a cluster in the order in which they start; they stop in reverse. */
export function processesOf(cluster: Cluster, layout: Layout, programs: Programs): ServiceProcess[] {
  const nats = (name: string, settings: string, monitorPort: number): ServiceProcess => ({
    name,
    program: programs.natsServer,
    args: ["-c", settings],
    flag: "-c",
    settings,
    env: { PATH: programs.path },
    readyUrl: `http://127.0.0.1:${monitorPort}/healthz`,
  });
  const main = (app: string) => join(programs.apps, app, "main.js");
  const agentMain = programs.agentMain ?? main("host-agent");
  const node = (
    name: string,
    file: string,
    settings: string,
    at: string,
    options: readonly string[] = [],
  ): ServiceProcess => ({
    name,
    program: programs.node,
    args: ["--enable-source-maps", ...options, file, "--config", settings],
    flag: "--config",
    settings,
    env: { PATH: programs.path, NODE_COMPILE_CACHE: programs.compileCache },
    readyUrl: `http://${at}/readyz`,
  });
  return [
    nats("hub", layout.hubConfig, cluster.hubMonitorPort),
    ...cluster.hosts.map((host) =>
      nats(`leaf-${host.hostId}`, layout.leafConfig(host.hostId), host.monitorPort),
    ),
    node(
      "scheduler",
      main("scheduler"),
      layout.serviceConfig("scheduler"),
      `127.0.0.1:${cluster.schedulerHealthPort}`,
    ),
    ...cluster.hosts.map((host) =>
      node(
        `agent-${host.hostId}`,
        agentMain,
        layout.agentConfig(host.hostId),
        `127.0.0.1:${host.healthPort}`,
      ),
    ),
    ...(cluster.volumesHealthPort === undefined
      ? []
      : [
          node(
            "volumes",
            main("volumes"),
            layout.serviceConfig("volumes"),
            `127.0.0.1:${cluster.volumesHealthPort}`,
          ),
        ]),
    node("api", main("api"), layout.serviceConfig("api"), addressOf(cluster.api), PGLITE_OPTIONS),
    ...cluster.routers.map(({ routerId, healthPort }) =>
      node(routerId, main("router"), layout.serviceConfig(routerId), `127.0.0.1:${healthPort}`),
    ),
  ];
}
