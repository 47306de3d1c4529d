import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** What a configuration is written from: fresh ports on 127.0.0.1 and a folder of its own. They outlive restarts. */
export interface NatsServerPlace {
  readonly port: number;
  readonly leafPort: number;
  readonly monitorPort: number;
  /** Absolute. Files that the configuration includes go here. */
  readonly folder: string;
  readonly storeDir: string;
}

/** A real nats-server under test. */
export interface NatsServer extends NatsServerPlace {
  /** For clients, "nats://127.0.0.1:…". */
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

/** A port on 127.0.0.1 that nobody uses at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** The nats-server that set-up brought, else the one on the PATH. */
export function natsServerBinary(): string {
  const folders = [resolve(".drover/tools/bin"), ...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  const found = folders.map((folder) => join(folder, "nats-server")).find((file) => existsSync(file));
  if (found === undefined) throw new Error("nats-server is missing: run ./drover once, it brings it");
  return found;
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
): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "drover-nats-"));
  const [port, leafPort, monitorPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const place: NatsServerPlace = { port, leafPort, monitorPort, folder, storeDir: join(folder, "store") };
  const configFile = join(folder, "server.conf");
  try {
    await writeFile(configFile, await writeConfig(place), { mode: 0o600 });
    return new RunningServer(place, configFile, await launch(configFile)).asNatsServer();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A running process and what it said. */
interface Launched {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly gone: Promise<void>;
  /** Resolves with the next line, from now on, that matches; rejects when the process ends before. */
  readonly says: (pattern: RegExp) => Promise<string>;
}

async function launch(configFile: string): Promise<Launched> {
  // setpriv ties its life to ours: a test runner that is killed leaves no server behind.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", natsServerBinary(), "-c", configFile], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  const listeners = new Set<(line: string | undefined) => void>();
  createInterface({ input: child.stderr! }).on("line", (line) => {
    lines.push(line);
    for (const listener of [...listeners]) listener(line);
  });
  const gone = new Promise<void>((done) => {
    child.once("error", (error) => lines.push(String(error)));
    child.once("close", () => done());
  });
  void gone.then(() => {
    for (const listener of [...listeners]) listener(undefined);
  });
  const says = (pattern: RegExp) =>
    new Promise<string>((found, fail) => {
      const listener = (line: string | undefined) => {
        if (line !== undefined && !pattern.test(line)) return;
        listeners.delete(listener);
        if (line === undefined) fail(new Error(`nats-server ended:\n${lines.join("\n")}`));
        else found(line);
      };
      listeners.add(listener);
    });
  await says(/Server is ready/);
  return { child, lines, gone, says };
}

class RunningServer {
  readonly #place: NatsServerPlace;
  readonly #configFile: string;
  #launched: Launched;

  constructor(place: NatsServerPlace, configFile: string, launched: Launched) {
    this.#place = place;
    this.#configFile = configFile;
    this.#launched = launched;
  }

  asNatsServer(): NatsServer {
    const pid = () => this.#launched.child.pid ?? -1;
    return {
      ...this.#place,
      url: `nats://127.0.0.1:${this.#place.port}`,
      leafUrl: `nats://127.0.0.1:${this.#place.leafPort}`,
      monitorUrl: `http://127.0.0.1:${this.#place.monitorPort}`,
      get pid() {
        return pid();
      },
      log: () => this.#launched.lines.join("\n"),
      kill: (signal) => this.#kill(signal ?? "SIGKILL"),
      restart: () => this.#restart(),
      reload: (config) => this.#reload(config),
      stop: () => this.#stop(),
    };
  }

  async #kill(signal: NodeJS.Signals): Promise<void> {
    this.#launched.child.kill(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await this.#launched.gone;
  }

  async #restart(): Promise<void> {
    await this.#kill("SIGKILL");
    this.#launched = await launch(this.#configFile);
  }

  async #reload(config: string): Promise<void> {
    await writeFile(this.#configFile, config, { mode: 0o600 });
    const answer = this.#launched.says(/Reloaded server configuration|Failed to reload/);
    this.#launched.child.kill("SIGHUP");
    const line = await answer;
    if (line.includes("Failed")) throw new Error(line);
  }

  async #stop(): Promise<void> {
    await this.#kill("SIGKILL");
    await rm(this.#place.folder, { recursive: true, force: true });
  }
}
