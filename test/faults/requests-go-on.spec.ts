import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { httpServer, type ShownMachine, TestCluster, writeOciLayout } from "#testing";
import { CarefulClient } from "../cluster/careful-client.ts";
import { ClusterParts, pause } from "../cluster/parts.ts";
import { SteadyVisits } from "../cluster/visits.ts";

/** One cluster, two routers, an app that always has somebody visiting it; then things die. */
const APP = "web";
const PER_SECOND = 200;
/** A new machine's route is live within this time of its start (issue 3). */
const LIVE_WITHIN_MS = 2_000;
/** Visits that must get through while something is dead. */
const ENOUGH = 40;

let cluster: TestCluster;
let client: CarefulClient;
let parts: ClusterParts;
let folder: string;
let image: string;
let machines: ShownMachine[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-requests-"));
  image = (await writeOciLayout(join(folder, "web"), httpServer("hello"))).reference;
  cluster = await TestCluster.up({ hosts: 2, routers: 2 });
  client = new CarefulClient(cluster);
  parts = await ClusterParts.of(cluster);
  await cluster.api("POST", "/v1/apps", { name: APP });
  machines = await Promise.all(["one", "two", "three"].map((name) => create(APP, name)));
  for (const { id } of machines) await cluster.settles(APP, id, "started");
}, 180_000);
afterAll(async () => {
  await cluster?.purge();
  await rm(folder, { recursive: true, force: true });
}, 180_000);

function create(app: string, name: string, placement = {}): Promise<ShownMachine> {
  // Its server forks for each request and lets nine wait.
  const concurrency = { type: "requests", soft_limit: 4, hard_limit: 4 };
  const service = { protocol: "tcp", internal_port: 8080, ports: [{ port: 80, handlers: ["http"] }] };
  const services = [{ ...service, concurrency }];
  return client.create(app, name, { config: { image, guest: { memory_mb: 32 }, services, placement } });
}

const portOf = (index: number) => parts.cluster.routers[index]!.port;
const bothPorts = () => [portOf(0), portOf(1)];

/** Dies and stays dead until `act` has ended: nobody starts it again before. */
async function without(name: string, act: () => Promise<void>): Promise<void> {
  await parts.killSupervisor();
  parts.kill(name);
  try {
    await act();
  } finally {
    await cluster.resume();
  }
}

interface RoutesShown {
  readonly apps: readonly {
    readonly name: string;
    readonly machines: readonly { id: string; state: string }[];
  }[];
}

/** When the last router had the route of each machine of the app as one that runs, on the wall clock. */
async function liveAt(app: string, count: number): Promise<number> {
  const routers = parts.cluster.routers.map(async ({ healthPort }) => {
    for (;;) {
      const shown = await fetch(`http://127.0.0.1:${healthPort}/routes`)
        .then((answer) => answer.json() as Promise<RoutesShown>)
        .catch(() => undefined);
      const routes = shown?.apps.find(({ name }) => name === app)?.machines ?? [];
      if (routes.filter(({ state }) => state === "started").length === count) return Date.now();
      await pause(20);
    }
  });
  return Math.max(...(await Promise.all(routers)));
}

/** Makes a machine on each host now. How long after the last start all routers knew of both, in milliseconds. */
async function routesOfNewMachines(app: string): Promise<number> {
  await client.ask("POST", "/v1/apps", { name: app });
  const live = liveAt(app, 2);
  const made = await Promise.all(["a", "b"].map((name) => create(app, name, { anti_affinity: "hard" })));
  expect(new Set(made.map(({ drover }) => drover.host)).size).toBe(2);
  const startedAt = await Promise.all(made.map(({ id }) => startOf(app, id)));
  return (await live) - Math.max(...startedAt);
}

async function startOf(app: string, id: string): Promise<number> {
  await client.reaches(app, id, "started");
  const path = `/v1/apps/${app}/machines/${id}/events`;
  const events = await client.ask<{ type: string; status: string; timestamp: number }[]>("GET", path);
  return events.find(({ type, status }) => type === "start" && status === "started")!.timestamp;
}

describe("requests to machines that run go on", () => {
  it("while all machines of the app are restarted, one after the other: none that may be repeated fails", async () => {
    const visits = new SteadyVisits(bothPorts(), APP, PER_SECOND);
    for (const { id } of machines) {
      await client.command(APP, id, "restart");
      await client.reaches(APP, id, "started");
      await visits.answered(portOf(0), ENOUGH);
    }
    const counts = await visits.end();
    expect(Object.keys(counts)).toEqual(["200"]);
    expect(counts["200"]).toBeGreaterThan(3 * 2 * ENOUGH);
  }, 90_000);

  it.each(["api", "hub", "scheduler"])(
    "without the %s",
    async (name) => {
      const visits = new SteadyVisits(bothPorts(), APP, 50);
      await visits.answered(portOf(1), 5);
      await without(name, async () => {
        for (const port of bothPorts()) await visits.answered(port, ENOUGH);
      });
      for (const port of bothPorts()) await visits.answered(port, 5);
      expect(Object.keys(await visits.end())).toEqual(["200"]);
    },
    60_000,
  );

  it("without one of the routers, through the other one", async () => {
    const [gone, there] = [portOf(1), portOf(0)];
    const visits = new SteadyVisits([there], APP, 50);
    await without("router-2", async () => {
      await visits.answered(there, ENOUGH);
      await expect(fetch(`http://127.0.0.1:${gone}/`)).rejects.toThrow();
    });
    const again = new SteadyVisits([gone], APP, 50);
    await again.answered(gone, 5);
    expect([await visits.end(), await again.end()].map((counts) => Object.keys(counts))).toEqual([
      ["200"],
      ["200"],
    ]);
  }, 60_000);

  it("F08: through a router that is started while there is no hub, by the routes that it knew", async () => {
    await without("hub", async () => {
      await parts.replace("router-2");
      const visits = new SteadyVisits([portOf(1)], APP, 50);
      await visits.answered(portOf(1), ENOUGH);
      expect(Object.keys(await visits.end())).toEqual(["200"]);
    });
  }, 60_000);
});

describe("the routes of new machines are live within 2 s of their start", () => {
  it.each(["leaf-host-1", "leaf-host-2", "hub"])(
    "after %s was killed",
    async (name) => {
      expect(parts.kill(name)).toBe(true);
      expect(await routesOfNewMachines(`after-${name}`)).toBeLessThan(LIVE_WITHIN_MS);
    },
    60_000,
  );

  it("after everything was killed at once", async () => {
    await parts.killAll();
    await cluster.resume();
    expect(await routesOfNewMachines("after-all")).toBeLessThan(LIVE_WITHIN_MS);
  }, 90_000);
});
