import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { script, sleeper, TestCluster, writeOciLayout } from "#testing";
import { CarefulClient } from "../cluster/careful-client.ts";
import { ClusterParts, pause } from "../cluster/parts.ts";
import { Random } from "../cluster/random.ts";
import { type Disagreement, Reality } from "../cluster/reality.ts";
import { type Images, Traffic } from "../cluster/traffic.ts";

const FULL = process.env.DROVER_FULL === "1";
const KILLS = FULL ? 50 : 12;
/** The same seed kills the same things at about the same moments. */
const SEED = Number(process.env.DROVER_SEED ?? 1);
const TRAFFIC = { steady: 3, workers: 3, jobs: 2 };

let cluster: TestCluster;
let parts: ClusterParts;
let images: Images;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drover-kills-"));
  const image = async (name: string, program: Parameters<typeof writeOciLayout>[1]) =>
    (await writeOciLayout(join(folder, name), program)).reference;
  images = {
    witness: await image(
      "witness",
      script(
        "mkdir -p /www; cat /proc/sys/kernel/random/uuid > /www/index.html; exec httpd -f -p 8080 -h /www",
      ),
    ),
    sleeper: await image("sleeper", sleeper()),
    shell: await image("shell", script("exit 0")),
  };
  cluster = await TestCluster.up({ hosts: 2 });
  parts = await ClusterParts.of(cluster);
}, 180_000);
afterAll(async () => {
  await cluster?.purge();
  await rm(folder, { recursive: true, force: true });
}, 180_000);

/** Kills one thing. When that was the supervisor, another one takes over what runs and starts what does not. */
async function killOne(random: Random): Promise<string> {
  const victim = random.pick([...parts.names, "supervisor"]);
  if (victim !== "supervisor") return parts.kill(victim) ? victim : `${victim} (not up)`;
  await parts.killSupervisor();
  // Nobody starts again what dies now.
  const orphan = random.next() < 0.5 ? random.pick(parts.names) : undefined;
  if (orphan !== undefined) parts.kill(orphan);
  const before = parts.running();
  await cluster.resume();
  expect(parts.goneSince(before)).toEqual([]);
  return orphan === undefined ? victim : `${victim} and ${orphan}`;
}

/** Milliseconds until nothing differs that counts, and what differed last if that is too long. */
async function until(
  reality: Reality,
  counts: (found: Disagreement) => boolean,
): Promise<{ tookMs: number; differences: Disagreement[] }> {
  const beganAt = performance.now();
  for (;;) {
    const differences = (await reality.disagreements()).filter(counts);
    const tookMs = Math.round(performance.now() - beganAt);
    if (differences.length === 0 || tookMs > 120_000) return { tookMs, differences };
    await pause(100);
  }
}

describe(`${KILLS} kill -9 of anything, while machines are created, stopped, started and destroyed`, () => {
  it("leave machines running, the API truthful, nothing stuck, nothing orphaned, no exit code lost", async () => {
    const random = new Random(SEED);
    const client = new CarefulClient(cluster);
    const traffic = new Traffic(client, images, new Random(SEED + 1));
    await traffic.begin(TRAFFIC);

    const killed: string[] = [];
    while (killed.length < KILLS) {
      await pause(random.between(200, 2_500));
      killed.push(await killOne(random));
    }
    await parts.allReady();
    const reality = await Reality.of(cluster, parts);
    const truth = await until(reality, ({ kind }) => kind === "lie");
    await traffic.end();
    const rest = await until(reality, () => true);
    await reality.close();
    const differences = [...truth.differences, ...rest.differences];
    expect({ killed, differences }).toEqual({ killed, differences: [] });
    expect(traffic.interruptions).toEqual([]);
    expect(traffic.visits).toBeGreaterThan(0);
    const wrong: unknown[] = [];
    for (const { app, id, state, exitCode } of traffic.expected) {
      await client.reaches(app, id, state);
      const shown = await client.machine(app, id);
      const code = shown.drover.last_exit?.exit_code;
      if (exitCode !== undefined && code !== exitCode) wrong.push({ id, exitCode, code });
    }
    expect(wrong).toEqual([]);
    expect((await cluster.json<{ quarantined?: number }>("status")).quarantined ?? 0).toBe(0);
    const figures = {
      killed: killed.length,
      machines: traffic.expected.length,
      visits: traffic.visits,
      repeats: client.repeats,
      truthMs: truth.tookMs,
      restMs: rest.tookMs,
    };
    process.stderr.write(`${JSON.stringify(figures)}\n${killed.join(", ")}\n`);
  }, 1_800_000);
});
