import { mkdtemp, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import type { Cluster } from "./cluster-file.ts";
import { readCluster, writeCluster } from "./cluster-file.ts";
import { Layout } from "./layout.ts";
import { growCluster, makeCluster } from "./make-cluster.ts";
import { writeSettings } from "./write-settings.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
const at = (port: number) => ({ host: "127.0.0.1", port });
const share = { cpuMillis: 1000, memoryMib: 512 };

let layout: Layout;
let cluster: Cluster;
beforeEach(async () => {
  layout = new Layout(await mkdtemp(join(tmpdir(), "drover-settings-")));
  cluster = await makeCluster(
    { hosts: 2, routers: 2, nats: at(4222), api: at(4280), http: at(8080) },
    clock,
    ids,
  );
  await writeCluster(layout, cluster);
});
afterEach(async () => rm(layout.root, { recursive: true, force: true }));

const write = async (of = cluster, its = share) => [
  ...(await writeSettings(of, layout, { share: its, allowUnsafe: false }, ids)),
];

async function allFiles(): Promise<string[]> {
  const entries = await readdir(layout.root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("a cluster's settings", () => {
  it("are the same for the same cluster", async () => {
    expect(await write()).not.toEqual([]);
    expect(await write()).toEqual([]);
    expect(await readCluster(layout)).toEqual(cluster);
  });

  it("are for nobody else's eyes", async () => {
    await write();
    for (const file of await allFiles())
      expect([file, (await stat(file)).mode & 0o777]).toEqual([file, 0o600]);
    for (const folder of [layout.secretsDir, layout.hubDir, layout.hostDir("host-1")])
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it("hold no seed and no token but in the files that are made for them", async () => {
    await write();
    const kept = (file: string) =>
      file.startsWith(layout.secretsDir) || file === layout.tokenFile || file.endsWith("/link.conf");
    for (const file of (await allFiles()).filter((each) => !kept(each)))
      expect(await readFile(file, "utf8")).not.toMatch(/\bS[UANCO][A-Z2-7]{50,}|drover_[0-9a-f]{20,}/);
  });

  it("tell the API alone of a database, which starts anew when that changes", async () => {
    await write();
    const databaseUrl = "postgres://me:hush@127.0.0.1/db";
    const choice = { share, allowUnsafe: false, databaseUrl };
    expect([...(await writeSettings(cluster, layout, choice, ids))]).toEqual([layout.serviceConfig("api")]);
    for (const file of await allFiles()) {
      expect((await readFile(file, "utf8")).includes("hush")).toBe(file === layout.serviceConfig("api"));
    }
    expect(await write()).toEqual([layout.serviceConfig("api")]);
  });

  it("name those that have to start anew: the hub and every agent when a host joins", async () => {
    await write();
    const grown = await growCluster(cluster, 3, ids);
    const changed = await write(grown, { ...share, memoryMib: 340 });
    const files = ["host-1", "host-2", "host-3"].map((hostId) => layout.agentConfig(hostId));
    expect(changed.sort()).toEqual([layout.hubConfig, layout.leafConfig("host-3"), ...files].sort());
  });

  it("name those that sign with a key, or let in with a token, that had to be made anew", async () => {
    await write();
    await rm(layout.tokenFile);
    expect(await write()).toEqual([layout.serviceConfig("api")]);
    await rm(layout.seedFile("agent-host-2"));
    const own = [layout.agentConfig("host-2"), layout.leafConfig("host-2")];
    expect((await write()).sort()).toEqual(own.sort());
  });

  it("name a damaged seed without telling what it holds", async () => {
    await write();
    const file = layout.seedFile("api");
    const seed = (await readFile(file, "utf8")).trim();
    await truncate(file, 20);
    const message = await write().catch((error: Error) => error.message);
    expect(message).toMatch(/api\.seed is damaged: restore it/);
    expect(message).not.toContain(seed.slice(0, 8));
  });
});
