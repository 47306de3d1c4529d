import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { SeededIds, SystemClock, SystemIds } from "#kernel";
import { freePort } from "#testing";
import { makeCluster } from "./make-cluster.ts";
import { freePorts, portsOf, whyTaken } from "./ports.ts";
import { settlePorts } from "./settle-ports.ts";

const clock = new SystemClock();
const ids = new SystemIds(clock);
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
}

const at = (port: number) => ({ host: "127.0.0.1", port });
const nobody = () => false;

async function someCluster() {
  const [nats, api, http] = [await freePort(), await freePort(), await freePort()];
  return makeCluster({ hosts: 2, routers: 2, nats: at(nats), api: at(api), http: at(http) }, clock, ids);
}

describe("free ports", () => {
  it("are different from each other and from those that are taken", async () => {
    const seeded = new SeededIds(clock, 7);
    const first = await freePorts(20, () => seeded.random(), new Set());
    const again = new SeededIds(clock, 7);
    const second = await freePorts(20, () => again.random(), new Set(first));
    expect(new Set([...first, ...second]).size).toBe(40);
  });

  it("are none that somebody uses, and it is said why an address cannot be had", async () => {
    const port = await freePort();
    expect(await whyTaken(at(port))).toBeUndefined();
    await occupy(port);
    expect(await whyTaken(at(port))).toBe("is taken by another program");
    expect(await whyTaken({ host: "192.0.2.1", port })).toBe("is no address of this machine");
  });
});

describe("the ports of a cluster that was down", () => {
  it("stay when nobody took them", async () => {
    const cluster = await someCluster();
    expect(await settlePorts(cluster, cluster, nobody, ids)).toEqual(cluster);
  });

  it("give way where they are taken, but for those that its own processes have", async () => {
    const cluster = await someCluster();
    const [host] = cluster.hosts;
    await occupy(host!.leafPort);
    await occupy(cluster.hubMonitorPort);
    const settled = await settlePorts(cluster, cluster, (name) => name === "hub", ids);
    expect(settled.hubMonitorPort).toBe(cluster.hubMonitorPort);
    expect(settled.hosts[0]!.leafPort).not.toBe(host!.leafPort);
    expect(settled.hosts[0]).toMatchObject({ ...host, leafPort: settled.hosts[0]!.leafPort });
    expect(portsOf(settled).size).toBe(portsOf(cluster).size);
  });

  it("that users chose are theirs: they are told which is taken", async () => {
    const cluster = await someCluster();
    await occupy(cluster.api.port);
    const settled = (runs: (name: string) => boolean) => settlePorts(cluster, cluster, runs, ids);
    await expect(settled(nobody)).rejects.toThrow(
      `127.0.0.1:${cluster.api.port} is taken by another program: free it, or choose another with --api HOST:PORT`,
    );
    await expect(settled((name) => name === "api")).resolves.toEqual(cluster);
    const moved = { ...cluster, api: at(await freePort()) };
    await occupy(moved.api.port);
    await expect(settlePorts(moved, cluster, (name) => name === "api", ids)).rejects.toThrow(/--api/);
  });

  it("are one each", async () => {
    const cluster = await someCluster();
    const double = { ...cluster, http: cluster.api };
    await expect(settlePorts(double, undefined, nobody, ids)).rejects.toThrow(/need a port each/);
  });
});
