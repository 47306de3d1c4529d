import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock, SystemIds } from "#kernel";
import { type Child, startChild } from "./child.ts";
import { toolPath } from "./tool.ts";

/** Where a server runs: on loopback unless told. */
export interface NatsServerShore {
  /** Address for clients. */
  readonly host?: string;
  /** Address for leaf nodes. */
  readonly leafHost?: string;
  /** Words before the program's own: they start it elsewhere. */
  readonly command?: readonly string[];
}

/** What a configuration is written from: addresses with fresh ports and a folder of its own. They outlive restarts. */
export interface NatsServerPlace {
  readonly host: string;
  readonly leafHost: string;
  readonly port: number;
  readonly leafPort: number;
  /** On the loopback of where it runs. */
  readonly monitorPort: number;
  /** Absolute. Files that the configuration includes go here. */
  readonly folder: string;
  readonly storeDir: string;
}

/** A real nats-server under test. */
export interface NatsServer extends NatsServerPlace {
  /** For clients, "nats://…". */
  readonly url: string;
  /** For leaf nodes, where the configuration listens for them. */
  readonly leafUrl: string;
  /** HTTP, without a trailing slash. */
  readonly monitorUrl: string;
  readonly pid: number;
  /** Everything it has logged so far. */
  readonly log: () => string;
  /** Sends a signal; for SIGKILL and SIGTERM resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same ports and the same store; kills it first where it still runs. */
  restart(): Promise<void>;
  /** Writes another configuration and reloads it; resolves when the server has taken it over. */
  reload(config: string): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

/** Below the kernel's range for outgoing connections: a port out of that may be gone again before a server has it. */
const FIRST_PORT = 30_000;
const PORTS = 2_768;
/** Each of the runner's workers has ports of its own: a server that is killed and started again shall find its port free. */
const WORKERS = 4;
const WORKER = Number(process.env.JEST_WORKER_ID ?? 0) % WORKERS;
const LOOPBACK = "127.0.0.1";
const ids = new SystemIds(new SystemClock());
/** Ports are given in turn, so that none is given twice before somebody listens there. */
let turn = Math.floor(ids.random() * PORTS);

/** A port on 127.0.0.1 that nobody uses at this moment. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    turn += 1;
    const port = FIRST_PORT + WORKERS * (turn % (PORTS / WORKERS)) + WORKER;
    if (await isFree(port)) return port;
  }
  throw new Error("no free port on 127.0.0.1");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((done) => {
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}

/** One server without authentication, JetStream on and synced: enough where permissions are not the point. */
export function openConfig(place: NatsServerPlace): string {
  return [
    `server_name: "open-${place.port}"`,
    `listen: "127.0.0.1:${place.port}"`,
    `http: "127.0.0.1:${place.monitorPort}"`,
    `jetstream { store_dir: ${JSON.stringify(place.storeDir)}, sync_interval: always }`,
    "",
  ].join("\n");
}

/** Starts a nats-server and waits until it says that it is ready. Throws with its log when it dies instead. */
export async function startNatsServer(
  writeConfig: (place: NatsServerPlace) => string | Promise<string> = openConfig,
  { host = LOOPBACK, leafHost = LOOPBACK, command = [] }: NatsServerShore = {},
): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "drover-nats-"));
  const [port, leafPort, monitorPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const ports = { host, leafHost, port, leafPort, monitorPort };
  const place: NatsServerPlace = { ...ports, folder, storeDir: join(folder, "store") };
  const launch = () => {
    const [program, ...words] = [...command, toolPath("nats-server"), "-c", configFile];
    return startChild(program!, words, /Server is ready/);
  };
  const configFile = join(folder, "server.conf");
  try {
    await writeFile(configFile, await writeConfig(place), { mode: 0o600 });
    return new RunningServer(place, configFile, launch, await launch()).asNatsServer();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

class RunningServer {
  readonly #place: NatsServerPlace;
  readonly #configFile: string;
  readonly #launch: () => Promise<Child>;
  #child: Child;

  constructor(place: NatsServerPlace, configFile: string, launch: () => Promise<Child>, child: Child) {
    this.#place = place;
    this.#configFile = configFile;
    this.#launch = launch;
    this.#child = child;
  }

  asNatsServer(): NatsServer {
    const pid = () => this.#child.pid;
    const { host, leafHost } = this.#place;
    return {
      ...this.#place,
      url: `nats://${host}:${this.#place.port}`,
      leafUrl: `nats://${leafHost}:${this.#place.leafPort}`,
      monitorUrl: `http://127.0.0.1:${this.#place.monitorPort}`,
      get pid() {
        return pid();
      },
      log: () => this.#child.lines.join("\n"),
      kill: (signal) => this.#kill(signal ?? "SIGKILL"),
      restart: () => this.#restart(),
      reload: (config) => this.#reload(config),
      stop: () => this.#stop(),
    };
  }

  async #kill(signal: NodeJS.Signals): Promise<void> {
    this.#child.signal(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await this.#child.gone;
  }

  async #restart(): Promise<void> {
    await this.#kill("SIGKILL");
    this.#child = await this.#launch();
  }

  async #reload(config: string): Promise<void> {
    await writeFile(this.#configFile, config, { mode: 0o600 });
    const answer = this.#child.says(/Reloaded server configuration|Failed to reload/);
    this.#child.signal("SIGHUP");
    const line = await answer;
    if (line.includes("Failed")) throw new Error(line);
  }

  async #stop(): Promise<void> {
    await this.#kill("SIGKILL");
    await rm(this.#place.folder, { recursive: true, force: true });
  }
}
