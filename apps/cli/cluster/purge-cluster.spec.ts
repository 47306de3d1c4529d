import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { runCommand } from "#runtime";
import { type Cluster, writeCluster } from "./cluster-file.ts";
import { Layout } from "./layout.ts";
import { makeCluster } from "./make-cluster.ts";
import { purgeCluster } from "./purge-cluster.ts";
import { writeSettings } from "./write-settings.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
const at = (port: number) => ({ host: "127.0.0.1", port });
const silent = () => undefined;

let layout: Layout;
let cluster: Cluster;
beforeEach(async () => {
  layout = new Layout(await mkdtemp(join(tmpdir(), "drover-purge-")));
  cluster = await makeCluster(
    { hosts: 1, routers: 2, nats: at(4222), api: at(4280), http: at(8080) },
    clock,
    ids,
  );
});
afterEach(async () => rm(layout.root, { recursive: true, force: true }));

async function furnish(): Promise<void> {
  await writeCluster(layout, cluster);
  await writeSettings(cluster, layout, { share: { cpuMillis: 1, memoryMib: 1 }, allowUnsafe: false }, ids);
}

describe("a purge", () => {
  it("removes the whole folder", async () => {
    await furnish();
    expect(await purgeCluster(cluster, layout, silent)).toEqual([]);
    expect(existsSync(layout.root)).toBe(false);
  });

  it("leaves what was never the cluster's, and says so", async () => {
    await furnish();
    await writeFile(join(layout.root, "thesis.txt"), "precious");
    expect(await purgeCluster(cluster, layout, silent)).toEqual(["thesis.txt"]);
    expect(await readdir(layout.root)).toEqual(["thesis.txt"]);
  });

  it("leaves a folder that is a mount point, empty", async () => {
    await runCommand(["mount", "-t", "tmpfs", "none", layout.root]);
    try {
      await furnish();
      expect(await purgeCluster(cluster, layout, silent)).toEqual([]);
      expect(await readdir(layout.root)).toEqual([]);
    } finally {
      await runCommand(["umount", layout.root]);
    }
  });
});
