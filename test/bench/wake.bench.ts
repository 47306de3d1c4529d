import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { containerFolders } from "#runtime";
import { httpServer, writeOciLayout } from "#testing";
import { BareContainer } from "./bare-container.ts";
import { BenchCluster } from "./bench-cluster.ts";
import { DockerContainer } from "./docker-container.ts";
import { percentile, print, rounded } from "./figures.ts";
import { firstByteAt } from "./first-byte.ts";

/**
 * `drover bench wake`: from a request for a stopped machine, through the router, to the first byte of its answer; beside
 * `runc run` of the very same bundle, and `docker start` where a Docker Engine runs. All in turn, so that whatever else
 * this machine does slows all of them.
 */
const WARM_UP = 3;
const SAMPLES = 60;
const UNREADY_SAMPLES = 20;
/** Asked for in the issue, in milliseconds. */
const GOAL = { p50: 100, p99: 250 };

const APP = "bench";
const HOST_NAME = `${APP}.localhost`;
const PORT = 8080;

/** One machine that serves HTTP, put to sleep and woken again and again. */
class Sleeper {
  readonly #cluster: BenchCluster;
  readonly #machineId: string;
  readonly #bundles: string;
  readonly address: { readonly host: string; readonly port: number };

  static async make(cluster: BenchCluster, image: string): Promise<Sleeper> {
    await cluster.request("POST", "/apps", { name: APP, org_slug: "personal" });
    const services = [{ internal_port: PORT, ports: [{ port: 80, handlers: ["http"] }], autostart: true }];
    const machine = await cluster.request("POST", `/apps/${APP}/machines`, { config: { image, services } });
    await cluster.request("GET", `/apps/${APP}/machines/${machine.id}/wait?state=started&timeout=60`);
    const [host] = cluster.cluster.hosts;
    const { bundles } = containerFolders(cluster.layout.hostDir(host!.hostId));
    const sleeper = new Sleeper(cluster, machine.id, bundles, await addressIn(bundles, machine.id));
    await firstByteAt(cluster.cluster.http, HOST_NAME);
    return sleeper;
  }

  private constructor(cluster: BenchCluster, machineId: string, bundles: string, host: string) {
    this.#cluster = cluster;
    this.#machineId = machineId;
    this.#bundles = bundles;
    this.address = { host, port: PORT };
  }

  /** Stops it; resolves to the bundle of its next start. */
  async sleep(): Promise<string> {
    const path = `/apps/${APP}/machines/${this.#machineId}`;
    await this.#cluster.request("POST", `${path}/stop`, {});
    await this.#cluster.request("GET", `${path}/wait?state=stopped&timeout=60`);
    return bundleOf(this.#bundles, this.#machineId);
  }

  /** Milliseconds from a request to the first byte of its answer. */
  async wake(): Promise<number> {
    const began = performance.now();
    return (await firstByteAt(this.#cluster.cluster.http, HOST_NAME)) - began;
  }
}

async function bundleOf(bundles: string, machineId: string): Promise<string> {
  const name = (await readdir(bundles)).find((bundle) => bundle.startsWith(machineId));
  if (name === undefined) throw new Error(`machine ${machineId} has no container: is readyContainers 0?`);
  return join(bundles, name);
}

/** The address that the machine's own /etc/hosts gives it. */
async function addressIn(bundles: string, machineId: string): Promise<string> {
  const hosts = await readFile(join(await bundleOf(bundles, machineId), "etc", "hosts"), "utf8");
  return /^(\d+\.\d+\.\d+\.\d+) (?!localhost)/m.exec(hosts)![1]!;
}

/** What a wake costs when nothing was made ready for it: after a reboot, and for machines that slept longest. */
async function unreadied(sleeper: Sleeper): Promise<number> {
  const pid = Number(await readFile(join(await sleeper.sleep(), "container.pid"), "utf8"));
  process.kill(pid, "SIGKILL");
  return sleeper.wake();
}

function row(what: string, samples: readonly number[], bare: readonly number[]) {
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return {
    ...{ what, samples: samples.length, "p50 ms": rounded(p50), "p99 ms": rounded(p99) },
    ...{
      "× runc, p50": rounded(p50 / percentile(bare, 0.5)),
      "× runc, p99": rounded(p99 / percentile(bare, 0.99)),
    },
  };
}

async function measure(cluster: BenchCluster) {
  const layout = await writeOciLayout(join(cluster.dataDir, "image"), httpServer("awake"));
  const sleeper = await Sleeper.make(cluster, layout.reference);
  const bareContainer = await BareContainer.make(join(cluster.dataDir, "bare"), cluster.cluster.clusterId);
  const config = JSON.parse(await readFile(join(await sleeper.sleep(), "config.json"), "utf8"));
  const { root, process: program } = config as { root: { path: string }; process: { args: string[] } };
  const name = `drover-bench-${cluster.cluster.clusterId}`;
  const dockerContainer = await DockerContainer.make(name, root.path, program.args);
  const [woken, bare, docker, unready] = [[], [], [], []] as [number[], number[], number[], number[]];
  try {
    for (let n = 0; n < WARM_UP + SAMPLES; n += 1) {
      bare.push(await bareContainer.run(await sleeper.sleep(), sleeper.address));
      woken.push(await sleeper.wake());
      if (dockerContainer !== undefined) docker.push(await dockerContainer.start());
    }
    for (let n = 0; n < UNREADY_SAMPLES; n += 1) unready.push(await unreadied(sleeper));
  } finally {
    await dockerContainer?.end();
    await bareContainer.end();
  }
  for (const samples of [bare, woken, docker]) samples.splice(0, WARM_UP);
  return { bare, woken, docker, unready };
}

const cluster = await BenchCluster.start({ hosts: 1, routers: 1 });
const { bare, woken, docker, unready } = await measure(cluster).finally(() => cluster.end());

print({
  bench: "request for a stopped machine → first byte",
  rows: [
    row("drover, through the router", woken, bare),
    row("drover, nothing made ready", unready, bare),
    row("runc run of the same bundle", bare, bare),
    docker.length > 0
      ? row("docker start", docker, bare)
      : { what: "docker start: no Docker Engine runs here" },
    {
      what: "drover / goal",
      "p50 ms": rounded(percentile(woken, 0.5) / GOAL.p50),
      "p99 ms": rounded(percentile(woken, 0.99) / GOAL.p99),
    },
  ],
});
