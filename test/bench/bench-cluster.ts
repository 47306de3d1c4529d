import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SystemClock, SystemIds } from "#kernel";
import { freePort, toolPath } from "#testing";
import { endCluster } from "../../apps/cli/cluster/end-cluster.ts";
import { Layout } from "../../apps/cli/cluster/layout.ts";
import { purgeCluster } from "../../apps/cli/cluster/purge-cluster.ts";
import { type RunningCluster, runCluster } from "../../apps/cli/cluster/run-cluster.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const clock = new SystemClock();
const ids = new SystemIds(clock);

/** A cluster of real processes in a folder of its own, for measuring. */
export class BenchCluster {
  readonly dataDir: string;
  readonly layout: Layout;
  readonly #running: RunningCluster;
  readonly #token: string;

  /** `agentMain`: another program for the hosts' agents than the real one. */
  static async start(size: { readonly hosts: number; readonly routers: number }, agentMain?: string) {
    const dataDir = await mkdtemp(join(tmpdir(), "drover-bench-"));
    const [nats, api, http] = await Promise.all([freePort(), freePort(), freePort()]);
    const at = (port: number) => ({ host: "127.0.0.1", port });
    const listen = { nats: at(nats), api: at(api), http: at(http) };
    const options = { dataDir, ...size, ...listen, demo: false, allowUnsafe: false, readyTimeoutMs: 120_000 };
    const programs = {
      node: process.execPath,
      natsServer: toolPath("nats-server"),
      path: PATH,
      compileCache: resolve(".drover/compile-cache"),
      apps: resolve("dist/apps"),
      ...(agentMain === undefined ? {} : { agentMain }),
    };
    const running = await runCluster(options, programs, quiet, clock, ids).catch(async (thrown: unknown) => {
      await endCluster(new Layout(dataDir), programs, true, quiet);
      await rm(dataDir, { recursive: true, force: true });
      throw thrown;
    });
    const token = (await readFile(new Layout(dataDir).tokenFile, "utf8")).trim();
    return new BenchCluster(dataDir, running, token);
  }

  private constructor(dataDir: string, running: RunningCluster, token: string) {
    this.dataDir = dataDir;
    this.layout = new Layout(dataDir);
    this.#running = running;
    this.#token = token;
  }

  /** What the cluster is made of. */
  get cluster(): RunningCluster["cluster"] {
    return this.#running.cluster;
  }

  /** Asks the Machines API. Throws what it says when that is no success. */
  async request<T = { id: string }>(method: string, path: string, body?: unknown): Promise<T> {
    const { host, port } = this.cluster.api;
    const response = await fetch(`http://${host}:${port}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer as T;
  }

  /** Stops it and takes away all that it left. */
  async end(): Promise<void> {
    await this.#running.stop();
    await purgeCluster(this.cluster, this.layout, quiet);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

function quiet(): void {
  // Nobody watches a cluster that is measured.
}
