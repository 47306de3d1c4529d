import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  freePort,
  type ShownMachine,
  script,
  sleeper,
  stubborn,
  TestCluster,
  writeOciLayout,
} from "#testing";
import { CarefulClient } from "../cluster/careful-client.ts";
import { ClusterParts, pause } from "../cluster/parts.ts";
import { Random } from "../cluster/random.ts";
import { type Disagreement, Reality } from "../cluster/reality.ts";

const ORDERS = process.env.DROVER_FULL === "1" ? 10 : 3;
const SEED = Number(process.env.DROVER_SEED ?? 1);
const MACHINES = "/v1/apps/cold/machines";

let cluster: TestCluster;
let parts: ClusterParts;
let client: CarefulClient;
let folder: string;
let sleeps: string;
let heedsNothing: string;
let witness: ShownMachine;
let witnessPort: number;
let creates = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-cold-"));
  const image = async (name: string, program: Parameters<typeof writeOciLayout>[1]) =>
    (await writeOciLayout(join(folder, name), program)).reference;
  sleeps = await image("sleeps", sleeper());
  heedsNothing = await image("heeds-nothing", stubborn());
  const serves = await image(
    "serves",
    script("mkdir -p /www; cat /proc/sys/kernel/random/uuid > /www/index.html; exec httpd -f -p 80 -h /www"),
  );
  cluster = await TestCluster.up({ hosts: 2 });
  parts = await ClusterParts.of(cluster);
  client = new CarefulClient(cluster);
  await client.ask("POST", "/v1/apps", { name: "cold" });
  witnessPort = await freePort();
  const publish = [{ host_port: witnessPort, machine_port: 80 }];
  witness = await create(serves, { publish });
  await client.reaches("cold", witness.id, "started");
}, 180_000);
afterAll(async () => {
  await cluster?.purge();
  await rm(folder, { recursive: true, force: true });
}, 180_000);

function create(image: string, more: Record<string, unknown> = {}): Promise<ShownMachine> {
  creates += 1;
  const config = {
    image,
    guest: { memory_mb: 32 },
    stop_config: { signal: "SIGTERM", timeout: "2s" },
    ...more,
  };
  return client.create("cold", `m-${creates}`, { config });
}

async function word(): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const said = await fetch(`http://127.0.0.1:${witnessPort}/`).then(
      (response) => response.text(),
      (error) => (tries < 100 ? undefined : Promise.reject(error)),
    );
    if (said !== undefined) return said;
    await pause(50);
  }
}

async function shuffled(random: Random): Promise<string[]> {
  const names = parts.names.map((name) => ({ name, at: random.next() }));
  return names.sort((a, b) => a.at - b.at).map(({ name }) => name);
}

async function untilAtRest(reality: Reality): Promise<Disagreement[]> {
  for (let tries = 0; ; tries += 1) {
    const differences = await reality.disagreements();
    if (differences.length === 0 || tries > 600) return differences;
    await pause(100);
  }
}

/** Machines in the middle of everything that takes a while: starting, stopping a process that heeds nothing, going. */
async function begunThings(): Promise<Record<string, string>> {
  const [stops, goes, restarts] = await Promise.all([
    create(heedsNothing),
    create(heedsNothing),
    create(heedsNothing),
  ]);
  for (const { id } of [stops, goes, restarts]) await client.reaches("cold", id, "started");
  await Promise.all([
    client.command("cold", stops.id, "stop"),
    client.command("cold", goes.id, "destroy"),
    client.command("cold", restarts.id, "restart"),
  ]);
  const starts = await create(sleeps);
  return { [stops.id]: "stopped", [goes.id]: "destroyed", [restarts.id]: "started", [starts.id]: "started" };
}

describe("F47: everything is killed and started again, in any order", () => {
  it.each(Array.from({ length: ORDERS }, (_, index) => SEED + index))(
    "all serve, the state is true, machines ran on (order %i)",
    async (seed) => {
      const random = new Random(seed);
      const before = await word();
      const expected = await begunThings();
      await parts.killAll();
      expect(await word()).toBe(before);

      const order = await shuffled(random);
      const beganAt = performance.now();
      for (const name of order) {
        parts.start(name);
        await pause(random.between(0, 1_500));
      }
      await parts.allReady();
      const readyMs = Math.round(performance.now() - beganAt);

      for (const [id, state] of Object.entries(expected)) await client.reaches("cold", id, state);
      const reality = await Reality.of(cluster, parts);
      const differences = await untilAtRest(reality);
      await reality.close();
      expect({ order, differences }).toEqual({ order, differences: [] });
      expect(await word()).toBe(before);
      expect(await client.machine("cold", witness.id)).toMatchObject({ state: "started" });
      process.stderr.write(`${JSON.stringify({ order, readyMs })}\n`);

      // A supervisor takes over what somebody else started.
      const running = parts.running();
      await cluster.resume();
      expect(parts.goneSince(running)).toEqual([]);
      for (const id of Object.keys(expected)) await client.command("cold", id, "destroy");
      for (const id of Object.keys(expected)) await client.reaches("cold", id, "destroyed");
    },
    600_000,
  );

  it("lists what it had: nothing was made twice", async () => {
    const { body } = await cluster.api<ShownMachine[]>("GET", MACHINES);
    expect(body.map(({ id }) => id)).toEqual([witness.id]);
    const all = await cluster.api<ShownMachine[]>("GET", `${MACHINES}?include_deleted=true`);
    expect(all.body).toHaveLength(creates);
  });
});
