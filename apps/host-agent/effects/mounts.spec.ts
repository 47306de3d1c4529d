import { describe, expect, it } from "@jest/globals";
import { bornFrom } from "#machines";
import { SimulatedVolumeStore } from "#runtime";
import type { Volume } from "#volumes";
import { launchMounts } from "./mounts.ts";

const VOLUME = "vol_0123456789abcdef";
const store = new SimulatedVolumeStore();

const machine = bornFrom({
  ...{ machineId: "6e82dd0a000001", appName: "app", name: "one", region: "local", epoch: 1 },
  operation: { id: "CREATE", kind: "create", steps: [], startedAtMs: 0 },
  config: { image: "a", mounts: [{ volume: VOLUME, path: "/data" }] },
  ...{ instanceId: "01I", resources: { cpuMillis: 62, memoryMib: 256 }, skipLaunch: false },
  ...{ ipv4: "10.213.1.0", privateIp: "fd00::1", createdAtMs: 0 },
});

function mountsWith(attachedMachineId: string | undefined) {
  const volume = { id: VOLUME, attachedMachineId } as Volume;
  return launchMounts(store, (volumeId) => (volumeId === VOLUME ? volume : undefined))(machine);
}

describe("I6: what is mounted into a machine", () => {
  it("is the folder of the volume that it has", () => {
    expect(mountsWith(machine.id)).toEqual([{ source: store.pathOf(VOLUME), destination: "/data" }]);
  });

  it.each(["another", undefined])("is never a volume that is attached to %s", (holder) => {
    expect(() => mountsWith(holder)).toThrow(expect.objectContaining({ code: "volume_not_found" }));
  });

  it("is nothing where it names nothing", () => {
    const plain = { ...machine, config: { image: "a" } };
    expect(launchMounts(store, () => undefined)(plain)).toEqual([]);
  });
});
