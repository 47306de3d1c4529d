import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freePort } from "#testing";
import { pause } from "../cluster/parts.ts";
import { type Visit, visit } from "../cluster/visits.ts";

const run = promisify(execFile);

/** Containers whose `settings` and `demo` ended well long ago are not among them. */
export const CONTAINERS = ["hub", "postgres", "scheduler", "volumes", "api", "router", "host-1"] as const;

/** The cluster of docker-compose.yml under a name, ports and a network of its own. */
export class ComposeCluster {
  readonly #env: NodeJS.ProcessEnv;
  readonly #project: string;
  readonly apiPort: number;
  readonly httpPort: number;
  #token = "";

  static async make(): Promise<ComposeCluster> {
    const [api, http] = await Promise.all([freePort(), freePort()]);
    return new ComposeCluster(api, http);
  }

  private constructor(apiPort: number, httpPort: number) {
    this.apiPort = apiPort;
    this.httpPort = httpPort;
    this.#project = `drover-test-${httpPort}`;
    const ports = { DROVER_API_PORT: `${apiPort}`, DROVER_HTTP_PORT: `${httpPort}` };
    this.#env = { ...process.env, ...ports, DROVER_NETWORK: `172.29.${httpPort % 256}` };
  }

  /** `docker compose …`; what it prints. */
  async compose(...words: readonly string[]): Promise<string> {
    const args = ["compose", "--project-name", this.#project, ...words];
    const options = { env: this.#env, maxBuffer: 64 * 1024 * 1024 };
    return (await run("docker", args, options)).stdout;
  }

  /** Runs a shell's line in a container. */
  inside(container: string, line: string): Promise<string> {
    return this.compose("exec", "--no-TTY", container, "sh", "-c", line);
  }

  /** As an engine sees it: which container, and since when it runs. */
  async lifeOf(container: string): Promise<{ pid: number; startedAt: string }> {
    const id = (await this.compose("ps", "--quiet", container)).trim();
    const { stdout } = await run("docker", ["inspect", "-f", "{{.State.Pid}} {{.State.StartedAt}}", id]);
    const [pid, startedAt] = stdout.trim().split(" ");
    return { pid: Number(pid), startedAt: startedAt! };
  }

  /** Ends a container as a crash does: the engine starts it again. */
  async kill(container: string): Promise<void> {
    process.kill((await this.lifeOf(container)).pid, "SIGKILL");
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    this.#token ||= (await this.inside("api", "cat /drover/token")).trim();
    const response = await fetch(`http://127.0.0.1:${this.apiPort}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  visit(app: string, path = "/"): Promise<Visit> {
    return visit(this.httpPort, app, path);
  }

  /** Visits until it is a 200: a router that is being started takes no connection. */
  async answers(app: string, path = "/"): Promise<Visit> {
    for (;;) {
      const seen = await this.visit(app, path).catch(() => undefined);
      if (seen?.status === 200) return seen;
      await pause(200);
    }
  }

  /** Takes containers, volumes and network away. */
  async end(): Promise<void> {
    await this.compose("down", "--volumes", "--timeout", "5");
  }
}
