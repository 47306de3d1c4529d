import { beforeEach, describe, expect, it } from "@jest/globals";
import { openRun, SystemClock, TerminalError } from "#kernel";
import { bornFrom, type Machine } from "#machines";
import type { StepContext } from "#operations";
import {
  type PulledImage,
  SimulatedContainerRuntime,
  SimulatedImageStore,
  SimulatedKernel,
  SimulatedMachineLogs,
  SimulatedMachineNetwork,
  SimulatedRegistry,
  SimulatedRootfsStore,
  SimulatedVolumeStore,
} from "#runtime";
import { effectsOf } from "./index.ts";

const IMAGE = "registry.test/app:1";
let kernel: SimulatedKernel;
let registry: SimulatedRegistry;
let images: SimulatedImageStore;
let rootfs: SimulatedRootfsStore;
let machine: Machine;

beforeEach(async () => {
  kernel = new SimulatedKernel();
  registry = new SimulatedRegistry();
  registry.publish(IMAGE, "one", { cmd: ["serve"] });
  images = new SimulatedImageStore(registry);
  rootfs = new SimulatedRootfsStore(images);
  machine = bornFrom({
    ...{ machineId: "6e82dd0a000001", appName: "app", name: "one", region: "local", epoch: 1 },
    operation: { id: "CREATE", kind: "create", steps: [], startedAtMs: 0 },
    ...{ instanceId: "01I", config: { image: IMAGE }, resources: { cpuMillis: 62, memoryMib: 256 } },
    ...{ ipv4: "10.213.1.0", privateIp: "fd00::1", skipLaunch: false, createdAtMs: 0 },
  });
  const { digest } = await registry.find(IMAGE, new AbortController().signal);
  machine = { ...machine, imageDigest: digest };
});

function effects(store = images) {
  const life = kernel.newLife();
  return effectsOf(
    {
      ...{ images: store, rootfs, network: new SimulatedMachineNetwork(life) },
      containers: new SimulatedContainerRuntime(life, new SystemClock()),
      ...{ logs: new SimulatedMachineLogs(), volumes: new SimulatedVolumeStore() },
    },
    {
      host: { id: "host-a", volumes: new Map() },
      machine: () => machine,
      imagesInUse: () => ["sha256:in-use"],
    },
    async () => undefined,
  );
}

function step(name: string, input: unknown): StepContext {
  const spec = { name, input, timeoutMs: 1, maxAttempts: 1, backoffMs: 0 };
  const run = openRun({ id: "OP", kind: "start", steps: [spec], startedAtMs: 0 });
  const { signal } = new AbortController();
  return { subjectId: machine.id, run, step: spec, key: "OP.0", signal, outputs: {} };
}

describe("pull-image", () => {
  it("makes room in a full store once, and keeps what machines use (F34)", async () => {
    const kept: string[][] = [];
    class FullStore extends SimulatedImageStore {
      override async pull(reference: string, signal: AbortSignal): Promise<PulledImage> {
        if (kept.length === 0) throw new TerminalError("disk_full", "no room");
        return super.pull(reference, signal);
      }
      override async prune(keep: Iterable<string>): Promise<void> {
        kept.push([...keep]);
      }
    }
    const pull = effects(new FullStore(registry))["pull-image"];
    expect(await pull(step("pull-image", { image: IMAGE }))).toEqual({
      digest: expect.stringMatching(/^sha256:/),
    });
    expect(kept).toEqual([["sha256:in-use"]]);
  });
});

describe("prepare", () => {
  it("makes network and root filesystem", async () => {
    await images.pull(IMAGE, new AbortController().signal);
    await effects().prepare(step("prepare", { layerKey: "OP" }));
    expect([...kernel.networks.keys()]).toEqual([machine.id]);
    expect(await rootfs.list()).toEqual([machine.id]);
  });

  it("brings back an image that the store has lost, as long as its name means the same", async () => {
    const { prepare } = effects();
    await prepare(step("prepare", { layerKey: "OP" }));
    registry.publish(IMAGE, "two");
    machine = { ...machine, imageDigest: "sha256:gone" };
    await expect(prepare(step("prepare", { layerKey: "OP" }))).rejects.toMatchObject({
      code: "image_not_found",
    });
  });
});

describe("launch", () => {
  it("makes ready again what a reboot of the host took away", async () => {
    const all = effects();
    await all.prepare(step("prepare", { layerKey: "OP" }));
    kernel.networks.clear();
    await all.launch(step("launch", { startId: "NEXT", layerKey: "OP" }));
    expect([...kernel.networks.keys()]).toEqual([machine.id]);
  });
});

describe("remove-container", () => {
  it("ends whatever an abandoned start left running", async () => {
    const all = effects();
    await all.launch(step("launch", { startId: "ABANDONED", layerKey: "OP" }));
    expect(kernel.containers.size).toBe(1);
    await all["remove-container"](step("remove-container", undefined));
    expect(kernel.containers.size).toBe(0);
  });
});
