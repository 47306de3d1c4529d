import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { canonicalHash } from "#kernel";
import { isTerminal } from "#machines";
import { volumesOf } from "./attach.ts";
import { evolveHost } from "./evolve.ts";
import { holdingsOf } from "./holdings.ts";
import { configOf, HostStory, type Order } from "./host-story.ts";
import { emptyHost, type Host, hostFromJson, hostToJson } from "./state.ts";

const ROOM_GB = 10;
const MACHINES = ["00000000000001", "00000000000002", "00000000000003"];
const VOLUMES = ["vol_0000000000000001", "vol_0000000000000002"];
const SNAPSHOTS = ["vs_0000000000000001", "vs_0000000000000002"];

const machineId = fc.constantFrom(...MACHINES);
const volumeId = fc.constantFrom(...VOLUMES);
const snapshotId = fc.constantFrom(...SNAPSHOTS);
const stored = fc.constantFrom(...VOLUMES, ...SNAPSHOTS);
const sizeGb = fc.constantFrom(1, 2, 4, 7);

/** Whatever may happen to a host's volumes and their machines next. */
type Act = (story: HostStory) => void;

const volumes: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ volumeId, sizeGb }).map(
    (order): Act =>
      (story) =>
        story.offerVolume(order),
  ),
  fc.record({ volumeId, sizeGb }).map(
    (order): Act =>
      (story) =>
        story.commitVolume(order),
  ),
  fc.record({ volumeId, sizeGb, snapshotId }).map(
    (order): Act =>
      (story) =>
        story.commitVolume({ ...order, epoch: 2 }),
  ),
  fc.record({ volumeId, sizeGb, forkOf: volumeId }).map(
    (order): Act =>
      (story) =>
        story.commitVolume({ ...order, epoch: 2 }),
  ),
  volumeId.map(
    (id): Act =>
      (story) =>
        story.tell({ type: "EndReservation", reservationId: `${id}-1`, reason: "expired" }),
  ),
  fc.record({ volumeId, sizeGb }).map(
    (to): Act =>
      (story) =>
        story.tellVolume(to.volumeId, { type: "ExtendVolume", sizeGb: to.sizeGb }),
  ),
  volumeId.map(
    (id): Act =>
      (story) =>
        story.tellVolume(id, { type: "DestroyVolume" }),
  ),
  fc.record({ volumeId, snapshotId, mib: fc.constantFrom(1, 900, 3_000) }).map(
    (of): Act =>
      (story) =>
        story.take(of.volumeId, of.snapshotId, of.mib),
  ),
  snapshotId.map(
    (id): Act =>
      (story) =>
        story.tellSnapshot(id, { type: "DestroySnapshot" }),
  ),
);

const orderOf = (of: string, mounted: string | undefined): Order => ({
  ...{ machineId: of, epoch: 1, memoryMib: 100, hostPorts: [] },
  ...(mounted === undefined ? {} : { volumeId: mounted }),
});
const order = fc.tuple(machineId, fc.option(volumeId, { nil: undefined })).map((of) => orderOf(...of));

const machines: fc.Arbitrary<Act> = fc.oneof(
  order.map(
    (of): Act =>
      (story) =>
        story.offer(of),
  ),
  order.map(
    (of): Act =>
      (story) =>
        story.commit(of),
  ),
  order.map(
    (of): Act =>
      (story) => {
        const change = { config: configOf(of), instanceId: "v2", skipLaunch: false };
        story.tellMachine(of.machineId, { type: "UpdateMachine", ...change });
      },
  ),
  machineId.map(
    (id): Act =>
      (story) =>
        story.tellMachine(id, { type: "StopMachine" }),
  ),
  machineId.map(
    (id): Act =>
      (story) =>
        story.tellMachine(id, { type: "DestroyMachine", force: true }),
  ),
);

const failure = { kind: "terminal", error: { code: "effect_failed", message: "failed" } } as const;
const steps: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: stored.map(
      (id): Act =>
        (story) =>
          happened(story.reportStored(id).kind),
    ),
  },
  {
    weight: 1,
    arbitrary: stored.map(
      (id): Act =>
        (story) =>
          happened(story.reportStored(id, failure).kind),
    ),
  },
  {
    weight: 6,
    arbitrary: machineId.map(
      (id): Act =>
        (story) => {
          if (!story.host.machines.has(id) || story.giveOwed(id)) return;
          happened(story.report(id).kind);
        },
    ),
  },
  {
    weight: 1,
    arbitrary: machineId.map(
      (id): Act =>
        (story) => {
          if (story.host.machines.has(id)) happened(story.report(id, failure).kind);
        },
    ),
  },
);

/** I8: what happened is never refused for want of room. */
function happened(kind: string): void {
  expect(kind).not.toBe("refused");
}

const acts = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: volumes },
    { weight: 3, arbitrary: machines },
    { weight: 6, arbitrary: steps },
  ),
  { maxLength: 80 },
);

function play(plot: readonly Act[], after: (story: HostStory) => void = () => {}): HostStory {
  const story = new HostStory(1_000, 100, ROOM_GB);
  for (const act of plot) {
    for (const one of [...story.host.volumes.values(), ...story.host.snapshots.values()]) deepFreeze(one);
    act(story);
    after(story);
  }
  return story;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** The machines that may write a volume, counted from scratch. */
function writersOf(host: Host, id: string): string[] {
  const alive = [...host.machines.values()].filter(({ state }) => !isTerminal(state));
  return alive.filter((machine) => volumesOf(machine).includes(id)).map((machine) => machine.id);
}

describe("volumes, whatever is asked in whatever order", () => {
  it("I6: have at most one writer, and none that could lose its volume", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        play(plot, ({ host }) => {
          for (const { id, state, attachedMachineId } of host.volumes.values()) {
            expect(writersOf(host, id)).toEqual(attachedMachineId === undefined ? [] : [attachedMachineId]);
            if (attachedMachineId !== undefined) expect(["created", "extending"]).toContain(state);
          }
        });
      }),
      { numRuns: 600 },
    );
  });

  it("I8: with their snapshots are never promised more than there is; the running totals are right", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        play(plot, ({ host }) => {
          const { promised } = host.holdings;
          expect(promised.volumeMib).toBeLessThanOrEqual(ROOM_GB * 1_024);
          const counted = holdingsOf({
            machines: host.machines.values(),
            reservations: host.reservations.values(),
            volumes: host.volumes.values(),
            snapshots: host.snapshots.values(),
          });
          expect(counted.promised).toEqual(promised);
          expect(counted.reservedVolumes).toBe(host.holdings.reservedVolumes);
        });
      }),
      { numRuns: 600 },
    );
  });

  it("I9: come to rest: every operation ends", () => {
    fc.assert(
      fc.property(acts, (plot) => {
        const story = play(plot);
        for (const id of [...story.host.volumes.keys(), ...story.host.snapshots.keys()])
          story.settleStored(id);
        for (const { state, operation } of story.host.volumes.values()) {
          expect([state === "created" || state === "destroyed", operation]).toEqual([true, undefined]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("I4: fold to the same from a checkpoint at any place", () => {
    fc.assert(
      fc.property(acts, fc.nat(100), (plot, cut) => {
        const { events, host } = play(plot);
        const before = emptyHost();
        for (const { event, atMs } of events.slice(0, cut)) evolveHost(before, event, atMs);
        const restored = hostFromJson(JSON.parse(JSON.stringify(hostToJson(before))));
        for (const { event, atMs } of events.slice(cut)) evolveHost(restored, event, atMs);
        expect(canonicalHash(hostToJson(restored))).toBe(canonicalHash(hostToJson(host)));
        expect(restored.holdings.promised).toEqual(host.holdings.promised);
      }),
      { numRuns: 300 },
    );
  });
});
