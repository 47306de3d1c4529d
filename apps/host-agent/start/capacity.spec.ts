import { describe, expect, it } from "@jest/globals";
import { capacityOf, featuresOf } from "./capacity.ts";

const meminfo = (kib: number) => `MemTotal:       ${kib} kB\nMemFree:        1000 kB\n`;

describe("F25: capacity", () => {
  it("is what the machine has less what the host keeps for itself", () => {
    expect(capacityOf(meminfo(24 * 1024 * 1024), 2)).toEqual({ cpuMillis: 1900, memoryMib: 24_576 - 1229 });
    expect(capacityOf(meminfo(1024 * 1024), 1)).toEqual({ cpuMillis: 900, memoryMib: 768 });
  });

  it("is nothing where nothing can be read, rather than a guess", () => {
    expect(capacityOf("", 0)).toEqual({ cpuMillis: 0, memoryMib: 0 });
  });

  it.each([
    ["cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", "cgroup=v2"],
    ["tmpfs /sys/fs/cgroup tmpfs ro 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n", "cgroup=v1"],
  ])("knows the cgroup version", (mounts, feature) => {
    expect(featuresOf(mounts)).toContain(feature);
  });
});
