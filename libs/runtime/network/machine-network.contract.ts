import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { MachineNetwork, NetworkSpec } from "./machine-network.ts";

/** An adapter under test, and what lets a test look at and disturb the world it works on. */
export interface NetworkUnderTest {
  readonly network: MachineNetwork;
  /** The adapter as a restarted agent would have it, on the same world. */
  reopen(): Promise<MachineNetwork>;
  /** First two bytes of the host's machines' addresses. */
  readonly subnet: string;
  /** This and the next port are free on the host. */
  readonly firstPort: number;
  /** Takes a port of the host's loopback, as a foreign process would; resolves to what gives it back. */
  takePort(port: number): Promise<() => Promise<void>>;
  /** The address that a published port leads to: `ipv4:port`. */
  destinationOf(hostPort: number, protocol: "tcp" | "udp"): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What every `MachineNetwork` does. */
export function machineNetworkContract(name: string, setUp: () => Promise<NetworkUnderTest>): void {
  describe(`${name} as MachineNetwork`, () => {
    const { signal } = new AbortController();
    let world: NetworkUnderTest;
    beforeEach(async () => {
      world = await setUp();
    });
    afterEach(() => world.close());

    const web = (more: Partial<NetworkSpec> = {}): NetworkSpec => ({
      machineId: "d0000000000001",
      ipv4: `${world.subnet}.1.1`,
      privateIp: "fd00:1:2:3::1",
      ports: [{ host_port: world.firstPort, machine_port: 80, protocol: "tcp" }],
      ...more,
    });

    it("gives a machine its namespace and leads its ports to it", async () => {
      const { netnsPath } = await world.network.prepare(web(), signal);
      expect(netnsPath).toMatch(/^\/.*d0000000000001$/);
      expect(await world.network.list()).toEqual(["d0000000000001"]);
      expect(await world.destinationOf(world.firstPort, "tcp")).toBe(`${world.subnet}.1.1:80`);
      expect(await world.destinationOf(world.firstPort, "udp")).toBeUndefined();
    });

    it("changes nothing when called again, also by the agent that comes after", async () => {
      const first = await world.network.prepare(web(), signal);
      expect(await world.network.prepare(web(), signal)).toEqual(first);
      expect(await (await world.reopen()).prepare(web(), signal)).toEqual(first);
      expect(await world.destinationOf(world.firstPort, "tcp")).toBe(`${world.subnet}.1.1:80`);
    });

    it("follows a change of the ports, and lets go of those that are gone", async () => {
      await world.network.prepare(web(), signal);
      const ports: NetworkSpec["ports"] = [
        { host_port: world.firstPort, machine_port: 8080, protocol: "tcp" },
        { host_port: world.firstPort + 1, machine_port: 53, protocol: "udp" },
      ];
      await world.network.prepare(web({ ports }), signal);
      expect(await world.destinationOf(world.firstPort, "tcp")).toBe(`${world.subnet}.1.1:8080`);
      expect(await world.destinationOf(world.firstPort + 1, "udp")).toBe(`${world.subnet}.1.1:53`);
      await world.network.prepare(web({ ports: [] }), signal);
      expect(await world.destinationOf(world.firstPort, "tcp")).toBeUndefined();
      expect(await world.destinationOf(world.firstPort + 1, "udp")).toBeUndefined();
    });

    it("refuses a port that a foreign process holds, and takes it once it is free", async () => {
      const giveBack = await world.takePort(world.firstPort);
      await expect(world.network.prepare(web(), signal)).rejects.toMatchObject({
        name: "TerminalError",
        code: "port_taken",
      });
      await giveBack();
      await world.network.prepare(web(), signal);
      expect(await world.destinationOf(world.firstPort, "tcp")).toBe(`${world.subnet}.1.1:80`);
    });

    it("refuses a port that another machine has", async () => {
      await world.network.prepare(web(), signal);
      const other = web({
        machineId: "d0000000000002",
        ipv4: `${world.subnet}.1.2`,
        privateIp: "fd00:1:2:3::2",
      });
      await expect(world.network.prepare(other, signal)).rejects.toMatchObject({ code: "port_taken" });
      expect(await world.destinationOf(world.firstPort, "tcp")).toBe(`${world.subnet}.1.1:80`);
    });

    it("removes all of it, twice as well as once, and what never was", async () => {
      await world.network.prepare(web(), signal);
      await world.network.remove("d0000000000001");
      await world.network.remove("d0000000000001");
      await world.network.remove("d0000000000009");
      expect(await world.network.list()).toEqual([]);
      expect(await world.destinationOf(world.firstPort, "tcp")).toBeUndefined();
    });

    it("prepares many machines at once", async () => {
      const specs = [1, 2, 3, 4].map((n) =>
        web({
          machineId: `d000000000000${n}`,
          ipv4: `${world.subnet}.1.${n}`,
          privateIp: `fd00:1:2:3::${n}`,
          ports: [],
        }),
      );
      await Promise.all(specs.map((spec) => world.network.prepare(spec, signal)));
      expect(await world.network.list()).toEqual(specs.map((spec) => spec.machineId));
      await Promise.all(specs.map((spec) => world.network.remove(spec.machineId)));
      expect(await world.network.list()).toEqual([]);
    });
  });
}
