import { join, resolve } from "node:path";
import { httpServer, writeOciLayout } from "#testing";
import { BenchCluster } from "./bench-cluster.ts";
import { percentile, print, rounded } from "./figures.ts";

/**
 * `drover bench create`: from the request that makes a machine to the answer that it has started, over HTTP, in a cluster
 * of real processes. With weightless images, networks and containers the whole of it is the control plane's share; with
 * real ones, what a user waits for.
 */
const WARM_UP = 30;
const SAMPLES = 200;
const REAL_SAMPLES = 20;
/** Asked for in the issue, in milliseconds. */
const GOAL = { p50: 20, p99: 60 };

/** Milliseconds from the create to the answer that it has started. The machine is destroyed again, out of the count. */
async function createOne(cluster: BenchCluster, image: string): Promise<number> {
  const began = performance.now();
  const { id } = await cluster.request("POST", "/apps/bench/machines", { config: { image } });
  await cluster.request("GET", `/apps/bench/machines/${id}/wait?state=started&timeout=60`);
  const took = performance.now() - began;
  await cluster.request("DELETE", `/apps/bench/machines/${id}?force=true`);
  await cluster.request("GET", `/apps/bench/machines/${id}/wait?state=destroyed&timeout=60`);
  return took;
}

async function measure(
  cluster: BenchCluster,
  image: string,
  warmUp: number,
  samples: number,
): Promise<number[]> {
  await cluster.request("POST", "/apps", { name: "bench", org_slug: "personal" });
  for (let n = 0; n < warmUp; n += 1) await createOne(cluster, image);
  const took: number[] = [];
  for (let n = 0; n < samples; n += 1) took.push(await createOne(cluster, image));
  return took;
}

function row(what: string, samples: readonly number[]) {
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return { what, samples: samples.length, "p50 ms": rounded(p50), "p99 ms": rounded(p99) };
}

const size = { hosts: 3, routers: 0 };
const simulated = await BenchCluster.start(size, resolve("dist/test/bench/simulated-agent.js"));
const share = await measure(simulated, "bench:1", WARM_UP, SAMPLES).finally(() => simulated.end());
const real = await BenchCluster.start(size);
const layout = await writeOciLayout(join(real.dataDir, "image"), httpServer("hello"));
const whole = await measure(real, layout.reference, 3, REAL_SAMPLES).finally(() => real.end());

const ratio = {
  what: "share / goal",
  "p50 ms": rounded(percentile(share, 0.5) / GOAL.p50),
  "p99 ms": rounded(percentile(share, 0.99) / GOAL.p99),
};
print({
  bench: "create → started",
  rows: [row("control plane's share", share), row("with image and runtime", whole), ratio],
});
