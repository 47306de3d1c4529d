import { describe, expect, it } from "@jest/globals";
import { addressAfter, nextIpv4, privateIpOf } from "./address.ts";
import { HostStory, type Order } from "./host-story.ts";

const idOf = (number: number) => number.toString(16).padStart(14, "0");
const order = (number: number, memoryMib = 100): Order => ({
  machineId: idOf(number),
  epoch: 1,
  memoryMib,
  hostPorts: [],
});

function make(story: HostStory, wanted: Order) {
  story.commit(wanted);
  return story.settle(wanted.machineId);
}

function destroy(story: HostStory, machineId: string) {
  story.tellMachine(machineId, { type: "DestroyMachine", force: true });
  return story.settle(machineId);
}

describe("a stopped machine", () => {
  it("holds no room: somebody else may take it, and its start is refused until there is some", () => {
    const story = new HostStory(1_000);
    const { id } = make(story, order(1, 600));
    story.tellMachine(id, { type: "StopMachine" });
    story.settle(id);
    const { id: other } = make(story, order(2, 600));
    expect(story.tellMachine(id, { type: "StartMachine" })).toMatchObject({
      refusal: { code: "insufficient_capacity" },
    });
    destroy(story, other);
    expect(story.tellMachine(id, { type: "StartMachine" })).toMatchObject({ kind: "accepted" });
  });

  it("whose queued start finds no room loses that intent, with the host's reason", () => {
    const story = new HostStory(1_000);
    const { id } = make(story, order(1, 600));
    story.tellMachine(id, { type: "StopMachine" });
    while (story.machine(id).operation !== undefined) story.report(id);
    story.tellMachine(id, { type: "DestroyMachine", force: false });
    expect(story.settle(id).state).toBe("destroyed");

    const { id: next } = make(story, order(2, 600));
    story.tellMachine(next, { type: "StopMachine" });
    story.tellMachine(next, { type: "StartMachine" });
    while (story.machine(next).state === "stopping") story.report(next);
    make(story, order(3, 600));
    story.settle(next);
    expect(story.events.at(-1)?.event).toMatchObject({
      type: "MachineIntentDropped",
      data: { intent: "start", code: "insufficient_capacity" },
    });
    expect(story.machine(next).state).toBe("stopped");
  });
});

describe("an update", () => {
  const grow = (memoryMib: number) =>
    ({
      type: "UpdateMachine",
      config: { image: "registry.local/hello:2", guest: { memory_mb: memoryMib } },
      instanceId: "v2",
      skipLaunch: false,
    }) as const;

  it("is refused when the new size does not fit", () => {
    const story = new HostStory(1_000);
    const { id } = make(story, order(1, 600));
    expect(story.tellMachine(id, grow(1_001))).toMatchObject({ refusal: { code: "insufficient_capacity" } });
    expect(story.tellMachine(id, grow(1_000))).toMatchObject({ kind: "accepted" });
  });

  it("to a smaller size keeps the larger one until it has succeeded: there has to be a way back", () => {
    const story = new HostStory(1_000);
    const { id } = make(story, order(1, 900));
    story.tellMachine(id, grow(100));
    expect(story.offer(order(2, 500))).toMatchObject({ refusal: { code: "insufficient_capacity" } });
    const error = { code: "image_not_found", message: "no such image" };
    expect(story.report(id, { kind: "terminal", error })).toMatchObject({ kind: "accepted" });
    expect(story.settle(id)).toMatchObject({ state: "started", resources: { memoryMib: 900 } });
    story.tellMachine(id, grow(100));
    story.settle(id);
    expect(story.offer(order(2, 500))).toMatchObject({ kind: "accepted" });
  });
});

describe("suspending", () => {
  it("is refused by a host that cannot, instead of breaking the machine", () => {
    const story = new HostStory(1_000);
    const { id } = make(story, order(1));
    expect(story.tellMachine(id, { type: "SuspendMachine" })).toMatchObject({
      refusal: { code: "unsupported" },
    });
    expect(story.machine(id).state).toBe("started");
  });
});

describe("F31: addresses", () => {
  it("are given out in turn and rest after their machine is gone", () => {
    const story = new HostStory(1_000);
    expect(make(story, order(1)).ipv4).toBe("10.213.1.0");
    destroy(story, idOf(1));
    expect(make(story, order(2)).ipv4).toBe("10.213.1.1");
  });

  it("are never given to two machines that are remembered, also when they start over", () => {
    const story = new HostStory(1_000);
    make(story, order(1));
    story.host.nextAddress = 65_534;
    expect(make(story, order(2)).ipv4).toBe("10.213.255.254");
    destroy(story, idOf(1));
    expect(make(story, order(3)).ipv4).toBe("10.213.1.1");
  });

  it("run out with a typed refusal, and nothing half made", () => {
    const story = new HostStory(1_000);
    for (let hostPart = 256; hostPart <= 65_534; hostPart += 1) {
      story.host.holdings.addresses.add(`10.213.${hostPart >> 8}.${hostPart & 255}`);
    }
    expect(nextIpv4(story.host)).toBeUndefined();
    expect(story.commit(order(1))).toMatchObject({ event: { data: { code: "insufficient_capacity" } } });
    expect(addressAfter("10.213.255.254")).toBe(256);
  });

  it("of version 6 belong to the machine id", () => {
    expect(privateIpOf("dev", "d891234f0a2b3c")).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+:d891:234f:a2b:3c01$/);
    expect(privateIpOf("dev", "a")).not.toBe(privateIpOf("dev", "b"));
    expect(privateIpOf("dev", "a")).not.toBe(privateIpOf("other", "a"));
  });
});

describe("F15: memory", () => {
  it("of destroyed machines and refused commits does not grow with history", () => {
    const story = new HostStory(1_000);
    for (let number = 1; number <= 1_100; number += 1) {
      make(story, order(number));
      destroy(story, idOf(number));
      story.commit(order(1_000_000 + number, 5_000));
      story.atMs += 1_000;
    }
    expect(story.host.machines.size).toBe(1_000);
    expect(story.host.holdings.addresses.size).toBe(1_000);
    expect(story.host.refusedCommits.size).toBe(1_000);
    expect(story.host.holdings.promised).toEqual({ cpuMillis: 0, memoryMib: 0, volumeMib: 0 });
    expect(story.host.holdings.machinesOfApp.size).toBe(0);
  });

  it("reaches ten minutes back, however many machines come and go", () => {
    const story = new HostStory(1_000);
    for (let number = 1; number <= 1_100; number += 1) {
      make(story, order(number));
      destroy(story, idOf(number));
    }
    expect(story.host.machines.size).toBe(1_100);
  });
});

describe("a command to a machine that is not here", () => {
  it("is refused as such", () => {
    const story = new HostStory(1_000);
    expect(story.tellMachine("none", { type: "StartMachine" })).toMatchObject({
      refusal: { code: "not_found" },
    });
  });
});

describe("refusals", () => {
  it("are written down with the machine when it is here, else with the host", () => {
    const story = new HostStory(1_000);
    const { id } = make(story, order(1));
    const said = { refused: "StartMachine", code: "busy", message: "later", count: 3 };
    const { updatedAtMs } = story.machine(id);
    expect(story.tell({ type: "RecordRefusal", machineId: id, ...said })).toMatchObject({
      event: { type: "CommandRefused", data: { count: 3 } },
    });
    expect(story.machine(id).updatedAtMs).toBe(updatedAtMs);
    expect(story.tell({ type: "RecordRefusal", machineId: "none", ...said })).toMatchObject({
      event: { type: "HostCommandRefused", data: { machineId: "none" } },
    });
  });
});
