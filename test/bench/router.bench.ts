import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "#testing";
import { findByArgument } from "../../apps/cli/cluster/process-table.ts";
import { BenchCluster } from "./bench-cluster.ts";
import { caddyProxy } from "./caddy.ts";
import { print, rounded } from "./figures.ts";
import { firstByteAt } from "./first-byte.ts";
import type { HttpLoad, LoadGenerator } from "./http-load.ts";
import { nginxProxy, nginxUpstream } from "./nginx.ts";
import { nodePipe, nodeUpstream } from "./node-server.ts";
import { plainLoad } from "./plain-load.ts";
import { measure, median, type Round, ratios } from "./proxy-round.ts";
import type { Address, Served } from "./served.ts";
import { wrk } from "./wrk.ts";

/**
 * `drover bench router`: what one router process passes on, beside nginx and Caddy on one core each, all before the same
 * machine over connections that are kept. The router is a cluster's own; the machine's program is a server outside of any
 * container, at the machine's address. All take turns in each round, so that whatever else this computer does slows all
 * of them; a ratio is the median of the rounds' own.
 */
const ROUNDS = 5;
/** V8 has to see tens of thousands of requests before it has compiled what they go through. */
const WARM_UP_SECONDS = 8;
const LOAD: HttpLoad = { connections: 64, seconds: 2, hostName: "bench.localhost" };
/** Asked for, in requests per second. */
const GOAL = 15_000;

async function measureInTurn<S extends Served>(
  servers: readonly S[],
  load: LoadGenerator,
): Promise<Map<S, Round[]>> {
  const rounds = new Map(servers.map((server) => [server, [] as Round[]]));
  for (const { address } of servers) {
    await firstByteAt(address, LOAD.hostName);
    await load.run(address, { ...LOAD, seconds: WARM_UP_SECONDS });
  }
  for (let n = 0; n < ROUNDS; n += 1) {
    for (const [server, measured] of rounds) measured.push(await measure(server, load, LOAD));
  }
  return rounds;
}

interface BenchMachine {
  readonly id: string;
  readonly drover: { readonly ipv4: string };
}

/** An app with one machine that takes all that comes. Resolves to where its program is to listen. */
async function makeMachine(cluster: BenchCluster): Promise<Address> {
  const port = await freePort();
  const concurrency = { type: "requests", soft_limit: LOAD.connections };
  const ports = [{ port: 80, handlers: ["http"] }];
  const config = {
    image: "bench:1",
    services: [{ internal_port: port, ports, concurrency, autostop: "off" }],
  };
  const machines = "/apps/bench/machines";
  await cluster.request("POST", "/apps", { name: "bench", org_slug: "personal" });
  const { id, drover } = await cluster.request<BenchMachine>("POST", machines, { config });
  await cluster.request("GET", `${machines}/${id}/wait?state=started&timeout=60`);
  return { host: drover.ipv4, port };
}

function routerOf({ cluster, layout }: BenchCluster): Served {
  const process = findByArgument("--config", layout.serviceConfig(cluster.routers[0]!.routerId));
  return { what: "drover router", address: cluster.http, pid: process!.pid };
}

async function freeAddress(): Promise<Address> {
  return { host: "127.0.0.1", port: await freePort() };
}

await using open = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "drover-bench-"));
open.defer(() => rm(folder, { recursive: true, force: true }));
const cluster = await BenchCluster.start(
  { hosts: 1, routers: 1 },
  resolve("dist/test/bench/simulated-agent.js"),
);
open.defer(() => cluster.end());
const machine = await makeMachine(cluster);
const upstream = open.use(
  (await nginxUpstream(join(folder, "upstream"), machine)) ?? (await nodeUpstream(machine)),
);
const at = { upstream: machine, connections: LOAD.connections };
const nginx = open.use(await nginxProxy(join(folder, "nginx"), await freeAddress(), at));
const caddy = open.use(await caddyProxy(join(folder, "caddy"), await freeAddress(), at));
const pipe = open.use(await nodePipe(await freeAddress(), machine));
const router = routerOf(cluster);
const load = (await wrk(folder)) ?? plainLoad;
const others = [nginx, caddy, pipe, upstream].filter((server) => server !== undefined);
const rounds = await measureInTurn([router, ...others], load);

const routed = rounds.get(router)!;
const missing = (what: string, name: string) => ({
  what: `${what} is not installed: not measured (apt-get install ${name})`,
});
print({
  bench: `requests through one process, ${LOAD.connections} connections kept alive; load: ${load.name}`,
  rows: [
    ...[...rounds].map(([{ what }, measured]) => ({ what, ...median(measured) })),
    ...others.map((other) => ({
      what: `drover / ${other.what}`,
      ...median(ratios(routed, rounds.get(other)!)),
    })),
    { what: "drover / goal", "requests/s": rounded(median(routed)["requests/s"] / GOAL) },
    ...(nginx === undefined ? [missing("nginx", "nginx-light")] : []),
    ...(caddy === undefined ? [missing("Caddy", "caddy")] : []),
  ],
});
