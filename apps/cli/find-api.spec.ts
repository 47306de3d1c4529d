import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { writeCluster } from "./cluster/cluster-file.ts";
import { Layout } from "./cluster/layout.ts";
import { makeCluster } from "./cluster/make-cluster.ts";
import { findApi, isOwnApi } from "./find-api.ts";

let layout: Layout;
beforeEach(async () => {
  layout = new Layout(await mkdtemp(join(tmpdir(), "drover-find-api-")));
});
afterEach(async () => rm(layout.root, { recursive: true, force: true }));

const clock = new SystemClock();

async function makeLocal(host = "127.0.0.1") {
  const at = (port: number) => ({ host, port });
  const wanted = { hosts: 1, routers: 1, nats: at(4322), api: at(4380), http: at(4381) };
  const cluster = await makeCluster(wanted, clock, new SystemIds(clock));
  await writeCluster(layout, cluster);
  await writeFile(layout.tokenFile, "drover_local\n", { mode: 0o600 });
  return cluster;
}

const find = (api?: string, token?: string) => findApi(layout, { api, token });

describe("the API that a command talks to", () => {
  it("is the local cluster's own, with its own token", async () => {
    await makeLocal();
    expect(await find()).toEqual({ base: "http://127.0.0.1:4380", token: "drover_local" });
  });

  it("is what the environment says", async () => {
    await makeLocal();
    const elsewhere = { base: "https://api.example", token: "mine" };
    expect(await find("https://api.example/v1", "mine")).toEqual(elsewhere);
    expect(await find(undefined, "mine")).toMatchObject({ base: "http://127.0.0.1:4380", token: "mine" });
  });

  it.each(["http://127.0.0.1:4380/v1", "localhost:4380", "http://[::1]:4380"])(
    "gets the local token as %s, too",
    async (api) => {
      await makeLocal("0.0.0.0");
      expect((await find(api)).token).toBe("drover_local");
    },
  );

  it.each(["http://127.0.0.1:4381", "http://api.example:4380", "https://127.0.0.1:4380"])(
    "never gets the local token as %s: it is somebody else's",
    async (api) => {
      const cluster = await makeLocal();
      await expect(find(api)).rejects.toThrow(/no token for .*: set DROVER_TOKEN$/);
      expect(isOwnApi(cluster, api)).toBe(false);
    },
  );

  it("is not known without a cluster, and a damaged one is named", async () => {
    await expect(find()).rejects.toThrow(/no token, because there is no cluster in/);
    await writeFile(layout.clusterFile, '{"version":');
    await expect(find()).rejects.toThrow(/cluster.json is damaged/);
  });

  it("is not opened by a token file that is gone or damaged", async () => {
    await makeLocal();
    await writeFile(layout.tokenFile, "\0\n");
    await expect(find()).rejects.toThrow(/token holds no token/);
    await rm(layout.tokenFile);
    await expect(find()).rejects.toThrow(/token is gone/);
  });
});
