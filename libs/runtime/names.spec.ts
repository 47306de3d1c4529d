import { describe, expect, it } from "@jest/globals";
import { containerIdOf, HostNames, startOfContainer } from "./names.ts";

const names = new HostNames("cluster-1", "host-a");
const machineId = "d891234a567b8c";

describe("HostNames", () => {
  it("fits the kernel's limits", () => {
    expect(names.tag).toMatch(/^[0-9a-f]{6}$/);
    expect(names.bridge.length).toBeLessThanOrEqual(15);
    expect(names.vethOf(machineId)).toHaveLength(15);
    const socket = `${names.socketFolder}/${containerIdOf({ machineId, startId: "0".repeat(40) })}/attach`;
    expect(socket.length).toBeLessThanOrEqual(107);
  });

  it("gives other hosts and other clusters other names", () => {
    const others = [new HostNames("cluster-1", "host-b"), new HostNames("cluster-2", "host-a")];
    for (const other of others) {
      expect(other.tag).not.toBe(names.tag);
      expect(other.vethOf(machineId)).not.toBe(names.vethOf(machineId));
    }
    expect(new HostNames("a", "bc").tag).not.toBe(new HostNames("ab", "c").tag);
  });

  it("knows its own machines' namespaces, and only those", () => {
    expect(names.machineOfNetns(names.netnsOf(machineId))).toBe(machineId);
    expect(names.machineOfNetns(new HostNames("cluster-2", "host-a").netnsOf(machineId))).toBeUndefined();
  });

  it("collides for none of 20,000 machines", () => {
    const veths = new Set(
      Array.from({ length: 20_000 }, (_, i) => names.vethOf(i.toString(16).padStart(14, "0"))),
    );
    expect(veths.size).toBe(20_000);
  });
});

describe("container ids", () => {
  it("are read back", () => {
    const start = { machineId, startId: "01JD0000000000000000000000" };
    expect(startOfContainer(containerIdOf(start))).toEqual(start);
  });

  it("of others are not taken for ours", () => {
    for (const other of ["abc", "a.b.c", "a/b.c", "..", ".", "a.", `${"x".repeat(41)}.y`]) {
      expect(startOfContainer(other)).toBeUndefined();
    }
  });
});
