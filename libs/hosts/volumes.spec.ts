import { describe, expect, it } from "@jest/globals";
import { delayBeforeAttemptMs } from "#kernel";
import { bidOf } from "./bid.ts";
import { configOf, HostStory, type Order } from "./host-story.ts";

const DATA = "vol_00000000000000da";
const OTHER = "vol_0000000000000001";
const KEPT = "vs_0000000000000001";
const A: Order = { machineId: "0000000000000a", epoch: 1, memoryMib: 100, hostPorts: [], volumeId: DATA };
const B: Order = { ...A, machineId: "0000000000000b" };
const failure = { kind: "terminal", error: { code: "disk_full", message: "no room" } } as const;

/** A host with room for 10 GB of volumes, and one volume of 4. */
function hostWithVolume(): HostStory {
  const story = new HostStory(1_000, 100, 10);
  story.commitVolume({ volumeId: DATA, sizeGb: 4 });
  story.settleStored(DATA);
  return story;
}

function destroy(story: HostStory, { machineId }: Order): void {
  story.tellMachine(machineId, { type: "DestroyMachine", force: true });
  story.settle(machineId);
}

const update = (order: Order, skipLaunch = true) =>
  ({ type: "UpdateMachine", config: configOf(order), instanceId: "v2", skipLaunch }) as const;

describe("I6: a volume that two machines race for", () => {
  it("goes to the one whose commit stands in the log first; the other is refused for good", () => {
    const story = hostWithVolume();
    // Both were offered room while the volume was free.
    expect([story.offer(A).kind, story.offer(B).kind]).toEqual(["accepted", "accepted"]);
    expect(story.commit(B)).toMatchObject({ event: { type: "MachineCreating" } });
    expect(story.commit(A)).toMatchObject({
      event: { type: "CommitRefused", data: { machineId: A.machineId, code: "volume_in_use" } },
    });
    expect(story.commit(A)).toMatchObject({ refusal: { code: "volume_in_use" } });
    expect(story.volume(DATA).attachedMachineId).toBe(B.machineId);
  });

  it("is offered to nobody while a machine has it, in whatever state that is", () => {
    const story = hostWithVolume();
    story.commit(A);
    const refused = { refusal: { code: "volume_in_use", details: { machineId: A.machineId } } };
    expect(story.offer(B)).toMatchObject(refused);
    story.settle(A.machineId);
    story.tellMachine(A.machineId, { type: "StopMachine" });
    story.settle(A.machineId);
    expect(story.offer(B)).toMatchObject(refused);
    destroy(story, A);
    expect(story.volume(DATA)).not.toHaveProperty("attachedMachineId");
    expect(story.offer(B)).toMatchObject({ kind: "accepted" });
  });

  it("stays with a machine that cannot be made until nothing of it is left", () => {
    const story = hostWithVolume();
    story.commit(A);
    story.report(A.machineId, failure);
    expect(story.machine(A.machineId).state).toBe("launch_failed");
    expect(story.offer(B)).toMatchObject({ refusal: { code: "volume_in_use" } });
    expect(story.settle(A.machineId).state).toBe("destroyed");
    expect(story.offer(B)).toMatchObject({ kind: "accepted" });
  });
});

describe("an update", () => {
  it("takes a volume that is free, and gives it back when the machine mounts it no more", () => {
    const story = hostWithVolume();
    const { volumeId: _, ...plain } = A;
    story.commit({ ...plain, skipLaunch: true });
    story.settle(A.machineId);
    story.tellMachine(A.machineId, update(A));
    story.settle(A.machineId);
    expect(story.volume(DATA).attachedMachineId).toBe(A.machineId);
    const { volumeId: __, ...bare } = B;
    story.commit({ ...bare, skipLaunch: true });
    story.settle(B.machineId);
    expect(story.tellMachine(B.machineId, update(B))).toMatchObject({ refusal: { code: "volume_in_use" } });
    story.tellMachine(A.machineId, update(plain));
    expect(story.tellMachine(B.machineId, update(B))).toMatchObject({ refusal: { code: "volume_in_use" } });
    story.settle(A.machineId);
    expect(story.tellMachine(B.machineId, update(B))).toMatchObject({ kind: "accepted" });
  });

  it("that fails leaves the machine with the volume that it had, and only that", () => {
    const story = hostWithVolume();
    story.commitVolume({ volumeId: OTHER, sizeGb: 1 });
    story.settleStored(OTHER);
    story.commit(A);
    story.settle(A.machineId);
    story.tellMachine(A.machineId, update({ ...A, volumeId: OTHER }, false));
    expect(story.volume(OTHER).attachedMachineId).toBe(A.machineId);
    expect(story.volume(DATA).attachedMachineId).toBe(A.machineId);
    story.report(A.machineId, failure);
    story.settle(A.machineId);
    expect(story.volume(OTHER)).not.toHaveProperty("attachedMachineId");
    expect(story.volume(DATA).attachedMachineId).toBe(A.machineId);
  });
});

describe("a machine", () => {
  it("mounts only what is here, of its own app, and made", () => {
    const story = hostWithVolume();
    expect(story.offer({ ...A, volumeId: OTHER })).toMatchObject({ refusal: { code: "volume_not_found" } });
    story.commitVolume({ volumeId: OTHER, sizeGb: 1 });
    expect(story.offer({ ...A, volumeId: OTHER })).toMatchObject({ refusal: { code: "wrong_state" } });
    const foreign = { machineId: "x", appName: "else", resources: { cpuMillis: 1, memoryMib: 1 }, ports: [] };
    expect(bidOf(story.host, { ...foreign, volumes: [DATA] }, story.atMs)).toMatchObject({
      refusal: { code: "volume_not_found" },
    });
  });
});

describe("a fork of a volume", () => {
  const fork = { volumeId: OTHER, sizeGb: 4, forkOf: DATA };

  it("is made of one that is there and of its own app, and is no smaller", () => {
    const story = hostWithVolume();
    expect(story.offerVolume({ ...fork, forkOf: OTHER })).toMatchObject({
      refusal: { code: "volume_not_found" },
    });
    story.tellVolume(DATA, { type: "ExtendVolume", sizeGb: 5 });
    expect(story.commitVolume(fork)).toMatchObject({
      event: { type: "CommitRefused", data: { code: "invalid" } },
    });
    expect(story.commitVolume({ ...fork, sizeGb: 5, epoch: 2 })).toMatchObject({
      event: { type: "VolumeCreating", data: { sourceVolumeId: DATA } },
    });
    const later = { volumeId: "vol_0000000000000002", sizeGb: 5, forkOf: OTHER };
    expect(story.offerVolume(later)).toMatchObject({ refusal: { code: "busy" } });
  });

  it("keeps the other until it is made", () => {
    const story = hostWithVolume();
    story.commitVolume(fork);
    expect(story.volume(OTHER).state).toBe("restoring");
    expect(story.tellVolume(DATA, { type: "DestroyVolume" })).toMatchObject({ refusal: { code: "busy" } });
    story.settleStored(OTHER);
    expect(story.tellVolume(DATA, { type: "DestroyVolume" })).toMatchObject({ kind: "accepted" });
    const late = { volumeId: "vol_0000000000000002", sizeGb: 1, forkOf: DATA };
    expect(story.offerVolume(late)).toMatchObject({ refusal: { code: "wrong_state" } });
  });
});

describe("destroying a volume", () => {
  it("is refused while it is attached, and says to whom", () => {
    const story = hostWithVolume();
    story.commit(A);
    expect(story.tellVolume(DATA, { type: "DestroyVolume" })).toMatchObject({
      refusal: { code: "volume_in_use", message: expect.stringContaining(A.machineId) },
    });
    story.settle(A.machineId);
    destroy(story, A);
    expect(story.tellVolume(DATA, { type: "DestroyVolume" })).toMatchObject({ kind: "accepted" });
    expect(story.offer(B)).toMatchObject({ refusal: { code: "wrong_state" } });
    story.settleStored(DATA);
    expect(story.volume(DATA).state).toBe("destroyed");
    expect(story.tellVolume(DATA, { type: "DestroyVolume" })).toEqual({ kind: "unchanged" });
  });

  it("that fails goes on: it is owed, and says why it is not done", () => {
    const story = hostWithVolume();
    story.tellVolume(DATA, { type: "DestroyVolume" });
    story.reportStored(DATA, failure);
    expect(story.volume(DATA)).toMatchObject({
      state: "pending_destroy",
      operation: { lastError: { code: "disk_full" }, retryAfterMs: 30_000 },
    });
    expect(story.host.holdings.promised.volumeMib).toBe(4_096);
  });
});

describe("F04: a step that its store puts off", () => {
  it("is tried ever more rarely, whatever the store asks for", () => {
    const story = hostWithVolume();
    story.tellVolume(DATA, { type: "DestroyVolume" });
    const error = { code: "storage_suspect", message: "it is being checked" };
    const pauses = Array.from({ length: 9 }, () => {
      story.reportStored(DATA, { kind: "retry", error, retryAfterMs: 1_200 });
      return delayBeforeAttemptMs(story.volume(DATA).operation!);
    });
    expect(pauses).toEqual([1_200, 1_200, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });
});

describe("F34: room for volumes", () => {
  it("is promised once: what does not fit is refused with the host's own figures", () => {
    const story = hostWithVolume();
    expect(story.offerVolume({ volumeId: OTHER, sizeGb: 6 })).toMatchObject({ kind: "accepted" });
    const third = { volumeId: "vol_0000000000000003", sizeGb: 1 };
    expect(story.offerVolume(third)).toMatchObject({
      refusal: {
        code: "insufficient_capacity",
        message: "host host-a has no room: 1024 MiB for volumes wanted, 0 of 10240 free",
      },
    });
    expect(story.tellVolume(DATA, { type: "ExtendVolume", sizeGb: 5 })).toMatchObject({
      refusal: { code: "insufficient_capacity" },
    });
    expect(story.take(DATA, KEPT, 100)).toMatchObject({ refusal: { code: "insufficient_capacity" } });
    story.tell({ type: "EndReservation", reservationId: `${OTHER}-1`, reason: "expired" });
    expect(story.commitVolume(third)).toMatchObject({ event: { type: "VolumeCreating" } });
  });

  it("is free again when a volume could not be made, and nothing is left of that", () => {
    const story = hostWithVolume();
    story.commitVolume({ volumeId: OTHER, sizeGb: 6 });
    story.reportStored(OTHER, failure);
    expect(story.volume(OTHER)).toMatchObject({
      state: "pending_destroy",
      error: { code: "disk_full" },
      operation: { kind: "destroy-volume", parentKind: "create-volume" },
    });
    story.settleStored(OTHER);
    expect(story.volume(OTHER)).toMatchObject({ state: "destroyed", error: { code: "disk_full" } });
    expect(story.host.holdings.promised.volumeMib).toBe(4_096);
  });

  it("is what it was after a volume could not be extended", () => {
    const story = hostWithVolume();
    story.tellVolume(DATA, { type: "ExtendVolume", sizeGb: 8 });
    expect(story.host.holdings.promised.volumeMib).toBe(8_192);
    expect(story.tellVolume(DATA, { type: "ExtendVolume", sizeGb: 9 })).toMatchObject({
      refusal: { code: "busy" },
    });
    story.reportStored(DATA, failure);
    expect(story.volume(DATA)).toMatchObject({ state: "created", sizeGb: 4, error: { code: "disk_full" } });
    expect(story.host.holdings.promised.volumeMib).toBe(4_096);
    expect(story.tellVolume(DATA, { type: "ExtendVolume", sizeGb: 3 })).toMatchObject({
      refusal: { code: "invalid" },
    });
  });

  it("takes no place among machines", () => {
    const story = hostWithVolume();
    story.offerVolume({ volumeId: OTHER, sizeGb: 1 });
    const wanted = {
      volumeId: "v",
      appName: "hello",
      resources: { cpuMillis: 0, memoryMib: 0, volumeMib: 1 },
    };
    expect(bidOf(story.host, wanted, story.atMs)).toMatchObject({
      kind: "bid",
      machineCount: 0,
      appMachineCount: 0,
      free: { volumeMib: 5 * 1_024 },
      capacity: { volumeMib: 10_240 },
    });
  });
});

describe("a snapshot", () => {
  it("holds what it may be until its size is known, and outlives its volume", () => {
    const story = hostWithVolume();
    story.take(DATA, KEPT, 50);
    expect(story.host.holdings.promised.volumeMib).toBe(4_146);
    expect(story.tellVolume(DATA, { type: "DestroyVolume" })).toMatchObject({ refusal: { code: "busy" } });
    story.settleStored(KEPT);
    expect(story.take(DATA, KEPT, 50)).toEqual({ kind: "unchanged" });
    expect(story.snapshot(KEPT)).toMatchObject({ state: "created", sizeBytes: 1_000_000, volumeSizeGb: 4 });
    story.tellVolume(DATA, { type: "DestroyVolume" });
    story.settleStored(DATA);
    expect(story.host.holdings.promised.volumeMib).toBe(1);
    expect(story.commitVolume({ volumeId: OTHER, sizeGb: 3, snapshotId: KEPT })).toMatchObject({
      event: { type: "CommitRefused", data: { volumeId: OTHER, code: "invalid" } },
    });
    story.commitVolume({ volumeId: OTHER, sizeGb: 4, epoch: 2, snapshotId: KEPT });
    expect(story.volume(OTHER).state).toBe("restoring");
    expect(story.tellSnapshot(KEPT, { type: "DestroySnapshot" })).toMatchObject({
      refusal: { code: "busy" },
    });
    story.settleStored(OTHER);
    story.tellSnapshot(KEPT, { type: "DestroySnapshot" });
    story.settleStored(KEPT);
    expect(story.snapshot(KEPT)).toMatchObject({ state: "destroyed", heldMib: 0 });
    expect(story.offerVolume({ volumeId: "vol_3", sizeGb: 4, snapshotId: KEPT })).toMatchObject({
      refusal: { code: "not_found" },
    });
  });

  it("that cannot be made is taken away again", () => {
    const story = hostWithVolume();
    story.take(DATA, KEPT, 50);
    story.reportStored(KEPT, failure);
    expect(story.snapshot(KEPT)).toMatchObject({ state: "destroying", error: { code: "disk_full" } });
    story.settleStored(KEPT);
    expect(story.snapshot(KEPT).state).toBe("destroyed");
    expect(story.host.holdings.promised.volumeMib).toBe(4_096);
  });
});

describe("a volume's commands", () => {
  it("are decided once each, however often they are delivered", () => {
    const story = hostWithVolume();
    expect(story.commitVolume({ volumeId: DATA, sizeGb: 4 })).toEqual({ kind: "unchanged" });
    story.tellVolume(DATA, { type: "UpdateVolume", autoBackup: false, commandId: "first" });
    story.tellVolume(DATA, { type: "UpdateVolume", autoBackup: true });
    story.tellVolume(DATA, { type: "UpdateVolume", autoBackup: false, commandId: "first" });
    expect(story.volume(DATA)).toMatchObject({ autoBackup: true, snapshotRetentionDays: 5 });
  });
});
