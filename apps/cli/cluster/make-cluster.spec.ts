import { networkInterfaces } from "node:os";
import { describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { freePort } from "#testing";
import { clusterSchema } from "./cluster-file.ts";
import { growCluster, growRouters, makeCluster, withVolumes } from "./make-cluster.ts";
import { portsOf } from "./ports.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
const at = (port: number) => ({ host: "127.0.0.1", port });
const wanted = { routers: 1, nats: at(4222), api: at(4280), http: at(8080) };

describe("a new cluster", () => {
  it("has hosts with ports and networks of their own", async () => {
    const cluster = await makeCluster({ ...wanted, hosts: 5 }, clock, ids);
    expect(clusterSchema.parse(cluster)).toEqual(cluster);
    expect(cluster.hosts.map(({ hostId }) => hostId)).toEqual([
      "host-1",
      "host-2",
      "host-3",
      "host-4",
      "host-5",
    ]);
    expect(portsOf(cluster).size).toBe(7 + 5 * 3 + 1);
    expect(new Set(cluster.hosts.map(({ subnet }) => subnet)).size).toBe(5);
  });

  it("takes no network that this machine is in", async () => {
    const { hosts } = await makeCluster({ ...wanted, hosts: 64 }, clock, ids);
    const mine = Object.values(networkInterfaces()).flatMap((all) => all!.map(({ address }) => address));
    for (const { subnet } of hosts)
      expect(mine.filter((address) => address.startsWith(`${subnet}.`))).toEqual([]);
  });

  it("grows without changing what it has", async () => {
    const cluster = await makeCluster({ ...wanted, hosts: 2 }, clock, ids);
    const grown = await growCluster(cluster, 4, ids);
    expect(grown.hosts.slice(0, 2)).toEqual(cluster.hosts);
    expect(portsOf(grown).size).toBe(7 + 4 * 3 + 1);
    expect(await growCluster(cluster, 2, ids)).toBe(cluster);
  });

  it("has its first router where it is told, and more of them on ports of their own", async () => {
    const http = at(await freePort());
    const cluster = await makeCluster({ ...wanted, http, hosts: 1 }, clock, ids);
    expect(cluster.routers).toMatchObject([{ routerId: "router-1", port: http.port }]);
    const grown = await growRouters(cluster, 3, ids);
    expect(clusterSchema.parse(grown)).toEqual(grown);
    expect(grown.routers[0]).toEqual(cluster.routers[0]);
    expect(grown.routers.map(({ routerId }) => routerId)).toEqual(["router-1", "router-2", "router-3"]);
    expect(portsOf(grown).size).toBe(portsOf(cluster).size + 4);
    const moved = await growRouters({ ...grown, http: at(await freePort()) }, 3, ids);
    expect(moved.routers[0]!.port).toBe(moved.http.port);
    expect(moved.routers.slice(1)).toEqual(grown.routers.slice(1));
  });

  it("from before there were volumes gets a port for them", async () => {
    const { volumesHealthPort: _, ...before } = await makeCluster({ ...wanted, hosts: 1 }, clock, ids);
    const grown = await withVolumes(clusterSchema.parse(before), ids);
    expect(portsOf(grown).size).toBe(portsOf(before).size + 1);
    expect(await withVolumes(grown, ids)).toBe(grown);
  });

  it("from before there were routers gets one", async () => {
    const { routers: _, ...before } = await makeCluster({ ...wanted, hosts: 1 }, clock, ids);
    const read = clusterSchema.parse(before);
    expect(read.routers).toEqual([]);
    expect((await growRouters(read, 1, ids)).routers).toMatchObject([{ routerId: "router-1", port: 8080 }]);
  });
});
