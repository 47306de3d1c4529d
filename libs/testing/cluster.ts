import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./nats-server.ts";

/** How a command of the CLI ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface ProcessStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly ready: boolean;
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A machine as the API shows it, as far as tests look. */
export interface ShownMachine {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly instance_id: string;
  readonly drover: {
    readonly host: string;
    readonly ipv4: string;
    readonly last_exit?: { readonly exit_code: number };
    readonly error?: { readonly code: string; readonly message: string };
    readonly waiting_for?: { readonly step: string };
  };
}

/** What `up` is asked for. */
interface UpWishes {
  readonly hosts?: number;
  readonly routers?: number;
  readonly demo?: boolean;
}

const CLI = resolve("dist/apps/cli/main.js");

/**
 * A whole cluster of real processes, made and purged by the real CLI in a data directory and on ports of its own: what a
 * user has, as a test sees it. Needs root and a built `dist`.
 */
export class TestCluster {
  readonly dataDir: string;
  readonly apiPort: number;
  readonly natsPort: number;
  readonly httpPort: number;
  #token = "";

  private constructor(dataDir: string, ports: readonly [number, number, number]) {
    this.dataDir = dataDir;
    [this.apiPort, this.natsPort, this.httpPort] = ports;
  }

  /** Makes a cluster and waits until it serves: one router and no demo app, unless told. */
  static async up(options: UpWishes & { readonly hosts: number }): Promise<TestCluster> {
    const dataDir = await mkdtemp(join(tmpdir(), "drover-cluster-"));
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const cluster = new TestCluster(dataDir, ports);
    await cluster.resume(options);
    return cluster;
  }

  /** `up --detach` on its data directory: after a `down`, or when the supervisor was killed. */
  async resume({ hosts, routers, demo = false }: UpWishes = {}): Promise<void> {
    const wishes = [
      ...(hosts === undefined ? [] : ["--hosts", String(hosts)]),
      ...(routers === undefined ? [] : ["--routers", String(routers)]),
      ...(demo ? [] : ["--no-demo"]),
    ];
    const ran = await this.drover("up", "--detach", ...wishes, ...this.listenFlags());
    if (ran.code !== 0) throw new Error(`up failed: ${ran.stderr}`);
    this.#token = (await readFile(join(this.dataDir, "token"), "utf8")).trim();
  }

  listenFlags(): string[] {
    const at = (port: number) => `127.0.0.1:${port}`;
    return ["--api", at(this.apiPort), "--nats", at(this.natsPort), "--http", at(this.httpPort)];
  }

  /** Runs a command of the CLI on this cluster. */
  async drover(...words: string[]): Promise<Ran> {
    return runCli(withFlags(words, "--data", this.dataDir));
  }

  /** Runs a command with `--json`; throws with its error line when it fails. */
  async json<T>(...words: string[]): Promise<T> {
    const ran = await this.drover(...withFlags(words, "--json"));
    if (ran.code !== 0) throw new Error(`drover ${words.join(" ")}: ${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  }

  /** A request to the Machines API with the local admin token. */
  async api<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiAnswer<T>> {
    const response = await fetch(`http://127.0.0.1:${this.apiPort}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text ? JSON.parse(text) : undefined) as T,
    };
  }

  /** All processes of the cluster, as `status` finds them. */
  async processes(): Promise<ProcessStatus[]> {
    const ran = await this.drover("status", "--json");
    return (JSON.parse(ran.stdout) as { processes: ProcessStatus[] }).processes;
  }

  async supervisor(): Promise<number | null> {
    const ran = await this.drover("status", "--json");
    return (JSON.parse(ran.stdout) as { supervisor: number | null }).supervisor;
  }

  /** kill -9 of one process by its name ("hub", "leaf-host-1", "agent-host-1", "scheduler", "api"). False when it does not run. */
  async kill(name: string, signal: NodeJS.Signals = "SIGKILL"): Promise<boolean> {
    const found = (await this.processes()).find((process) => process.name === name);
    if (found?.pid == null) return false;
    process.kill(found.pid, signal);
    return true;
  }

  /** Waits until every process is ready. Throws with those that are not in time. */
  async allReady(timeoutMs = 60_000): Promise<void> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const missing = (await this.processes()).filter((process) => !process.ready);
      if (missing.length === 0) return;
      if (performance.now() > until) {
        throw new Error(`not ready: ${missing.map((process) => process.name).join(", ")}`);
      }
      await sleep(100);
    }
  }

  /** Waits until the machine is in the state, over the API's own wait. */
  async settles(app: string, machineId: string, state: string, timeoutS = 60): Promise<void> {
    const path = `/v1/apps/${app}/machines/${machineId}/wait?state=${state}&timeout=${timeoutS}`;
    const answer = await this.api<{ error?: string }>("GET", path);
    if (answer.status !== 200) throw new Error(`${machineId} is not ${state}: ${answer.body.error}`);
  }

  async machine(app: string, machineId: string): Promise<ShownMachine> {
    const answer = await this.api<ShownMachine & { error?: string }>(
      "GET",
      `/v1/apps/${app}/machines/${machineId}`,
    );
    if (answer.status !== 200) throw new Error(answer.body.error);
    return answer.body;
  }

  /** Removes everything; throws when something of it is left on this machine. */
  async purge(): Promise<void> {
    const ran = await this.drover("down", "--purge");
    const left = await leftovers(this.dataDir);
    await rm(this.dataDir, { recursive: true, force: true });
    if (ran.code !== 0) throw new Error(`purge failed: ${ran.stderr}`);
    if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  }
}

/** What is behind -- belongs to a machine's command. */
function withFlags(words: readonly string[], ...flags: readonly string[]): string[] {
  const own = words.includes("--") ? words.indexOf("--") : words.length;
  return [...words.slice(0, own), ...flags, ...words.slice(own)];
}

/** Runs the CLI from the project's root. */
export async function runCli(words: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH },
  });
  const read = async (stream: NodeJS.ReadableStream) => {
    let text = "";
    for await (const chunk of stream) text += chunk;
    return text;
  };
  const ended = new Promise<number>((done) => child.once("close", (code) => done(code ?? -1)));
  const [code, stdout, stderr] = await Promise.all([ended, read(child.stdout), read(child.stderr)]);
  return { code, stdout, stderr };
}

/** Mounts and processes that still name a data directory. */
async function leftovers(dataDir: string): Promise<string[]> {
  const mounts = (await readFile("/proc/self/mounts", "utf8"))
    .split("\n")
    .filter((line) => line.includes(dataDir))
    .map((line) => `mount ${line.split(" ")[1]}`);
  const processes: string[] = [];
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.includes(dataDir)) processes.push(`process ${pid} ${line.split("\0")[0]}`);
  }
  return [...mounts, ...processes];
}
