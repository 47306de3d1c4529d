import { networkInterfaces } from "node:os";
import { describe, expect, it } from "@jest/globals";
import { SystemClock, SystemIds } from "#kernel";
import { clusterSchema } from "./cluster-file.ts";
import { growCluster, makeCluster } from "./make-cluster.ts";
import { portsOf } from "./ports.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
const at = (port: number) => ({ host: "127.0.0.1", port });
const wanted = { nats: at(4222), api: at(4280), http: at(8080) };

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
    expect(portsOf(cluster).size).toBe(6 + 5 * 3);
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
    expect(portsOf(grown).size).toBe(6 + 4 * 3);
    expect(await growCluster(cluster, 2, ids)).toBe(cluster);
  });
});
