import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { RecordedEvent } from "#contracts";
import type { RankedHost } from "#control";
import { refusal, refused } from "#kernel";
import { SimulatedFleet } from "#testing";
import { World } from "#timeline";
import { livedFleet } from "../fleets.fixture.ts";
import { type Deciders, PRESENT_DECIDERS } from "./deciders.ts";
import { type Redecided, redecide } from "./redecide.ts";

const CAPACITY = { cpuMillis: 40_000, memoryMib: 8_192 };
const resources = { cpuMillis: 62, memoryMib: 256 };

/** Every decision made again, in the order of the events. */
function redecided(events: readonly RecordedEvent[], deciders: Deciders = PRESENT_DECIDERS): Redecided[] {
  const world = new World();
  return events.map((event) => {
    const outcome = redecide(event, world, deciders);
    world.apply(event);
    return outcome;
  });
}

function othersThanSame(events: readonly RecordedEvent[]): unknown[] {
  return redecided(events).flatMap((outcome, index) =>
    outcome.kind === "same" ? [] : [[events[index]!.type, outcome]],
  );
}

/** One host with a volume that lived through everything that volumes do. */
function volumeLife(): SimulatedFleet {
  const fleet = new SimulatedFleet(3);
  fleet.join("h1");
  const measured = { capacity: { ...CAPACITY, volumeMib: 100_000 }, maxMachines: 10, features: [] };
  fleet.decideHost("h1", { type: "MeasureCapacity", ...measured });
  const volume = { volumeId: "vol_1", appName: "hello", epoch: 1, reservationId: "r1" };
  const room = { cpuMillis: 0, memoryMib: 0, volumeMib: 1_024 };
  fleet.decideHost("h1", { type: "ReserveVolume", ...volume, name: "data", resources: room, ttlMs: 5_000 });
  const described = { name: "data", sizeGb: 1, autoBackup: true, snapshotRetentionDays: 5, origin: "user" };
  fleet.decideHost("h1", { type: "CommitVolume", ...volume, ...described });
  const endStep = (output: Record<string, unknown> | null, snapshotId?: string) => {
    const { volumes, snapshots } = fleet.host("h1");
    const of = snapshotId === undefined ? volumes.get("vol_1") : snapshots.get(snapshotId);
    const outcome = { kind: "completed", output } as const;
    const command = {
      ...{ type: "RecordStep" as const, operationId: of!.operation!.id, outcome, origin: "operation" },
      ...{ commandId: fleet.ids.ulid(), atMs: fleet.clock.nowMs() },
    } as const;
    const about = { volumeId: "vol_1", command };
    fleet.decideHost(
      "h1",
      snapshotId === undefined ? { type: "Volume", ...about } : { type: "Snapshot", snapshotId, ...about },
    );
  };
  const tell = (command: { type: "ExtendVolume"; sizeGb: number } | { type: "DestroyVolume" }) => {
    const issued = { commandId: fleet.ids.ulid(), atMs: fleet.clock.nowMs(), origin: "user" };
    fleet.decideHost("h1", { type: "Volume", volumeId: "vol_1", command: { ...command, ...issued } });
  };
  endStep({ fstype: "btrfs" });
  tell({ type: "ExtendVolume", sizeGb: 2 });
  endStep(null);
  const taken = { volumeId: "vol_1", snapshotId: "vs_1", reservedMib: 10, origin: "user" };
  fleet.decideHost("h1", { type: "TakeSnapshot", ...taken });
  endStep({ sizeBytes: 5 }, "vs_1");
  const asked = { commandId: "d", atMs: 1, origin: "user" };
  const destroy = { type: "DestroySnapshot", ...asked } as const;
  fleet.decideHost("h1", { type: "Snapshot", volumeId: "vol_1", snapshotId: "vs_1", command: destroy });
  endStep(null, "vs_1");
  tell({ type: "DestroyVolume" });
  endStep(null);
  return fleet;
}

describe("deciding again", () => {
  it("comes to the same event for every decision of any history", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 400 }), (seed, moments) => {
        expect(othersThanSame(livedFleet(seed, moments).events())).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it("does so for volumes and snapshots, and for what belongs to no host", () => {
    const fleet = volumeLife();
    const token = { tokenId: "t1", name: "ci", secretHash: "0".repeat(64), atMs: 1 };
    fleet.decideControl({ type: "CreateToken", ...token });
    fleet.decideControl({ type: "RevokeToken", tokenId: "t1" });
    const hostname = { hostname: "www.example.com", appName: "hello", appId: "app-1" };
    fleet.decideControl({ type: "ClaimHostname", ...hostname, atMs: 2 });
    fleet.decideControl({ type: "ReleaseHostname", ...hostname });
    const error = { code: "insufficient_capacity", message: "no host takes the machine" };
    const nobody = { machineId: "m9", appName: "hello", epoch: 1, refusals: [] };
    fleet.decideControl({ type: "RefusePlacement", ...nobody, error });
    const events = fleet.events();
    expect(othersThanSame(events)).toEqual([]);
    const types = ["SnapshotDestroyed", "VolumeDestroyed", "TokenRevoked", "PlacementRefused"];
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(types));
  });

  it("knows what a commit was refused by", () => {
    const fleet = new SimulatedFleet(5);
    fleet.join("h1");
    fleet.decideHost("h1", { type: "MeasureCapacity", capacity: CAPACITY, maxMachines: 9, features: [] });
    const config = {
      image: "i",
      env: { PASSWORD: "hunter2" },
      guest: { memory_mb: 99_999 },
      init: { cmd: ["--hunter2"] },
    };
    const described = { appName: "hello", name: "m", instanceId: "v1", skipLaunch: false, origin: "user" };
    const placed = { reservationId: "r1", machineId: "m1", epoch: 1 };
    fleet.decideHost("h1", { type: "CommitMachine", ...placed, ...described, config });
    const events = fleet.events();
    expect(events.at(-1)).toMatchObject({ type: "CommitRefused" });
    expect(othersThanSame(events)).toEqual([]);
    expect(JSON.stringify(events.at(-1))).not.toContain("hunter2");
  });

  it("shows what others decide, and what they refuse", () => {
    const events = livedFleet(7, 200).events();
    const stingy: Deciders = {
      ...PRESENT_DECIDERS,
      decideHost: (command, host) =>
        command.type === "CommitMachine"
          ? refused(refusal("insufficient_capacity", "no"))
          : PRESENT_DECIDERS.decideHost(command, host),
    };
    const differing = redecided(events, stingy).flatMap((outcome, index) =>
      outcome.kind === "differs" ? [[events[index]!.type, outcome.instead.kind, outcome.event]] : [],
    );
    expect(differing.length).toBeGreaterThan(0);
    expect(differing).toEqual(differing.map(() => ["MachineCreating", "refused", undefined]));
  });

  it("says so where a decider fails, and where too little was written down", () => {
    const [event] = livedFleet(7, 0).events();
    const broken: Deciders = {
      ...PRESENT_DECIDERS,
      decideControl: () => {
        throw new Error("out of its depth");
      },
    };
    expect(redecide(event!, new World(), broken)).toMatchObject({
      kind: "differs",
      instead: { kind: "threw", message: "Error: out of its depth" },
    });
    const { decision: _, ...bare } = event!;
    expect(redecide(bare as RecordedEvent, new World())).toMatchObject({ kind: "not-replayable" });
    const unknown = { ...event!, decision: { command: "Unheard", commandId: "c", inputs: {} } };
    expect(redecide(unknown as RecordedEvent, new World())).toMatchObject({
      kind: "not-replayable",
      reason: "Unheard is no command that this release knows",
    });
  });
});

describe("a placement that is decided again", () => {
  const bidOf = (freeMib: number) => ({
    ...{ free: { cpuMillis: 40_000, memoryMib: freeMib }, capacity: CAPACITY },
    ...{ machineCount: 0, appMachineCount: 0 },
  });
  const candidates: RankedHost[] = [
    { hostId: "empty", score: 0.9687, random: 0.5, bid: bidOf(8_192) },
    { hostId: "full", score: 0.0938, random: 0.1, bid: bidOf(1_024) },
  ];
  function placed(hostId: string, ranked: readonly RankedHost[], known: boolean): RecordedEvent[] {
    const fleet = new SimulatedFleet(1);
    const wish = { regions: "local", policy: "spread", antiAffinity: "none", features: [] } as const;
    fleet.decideControl({
      ...{ type: "DecidePlacement", machineId: "m1", appName: "hello", epoch: 1, hostId, region: "local" },
      ...{ wish, candidates: ranked, refusals: [], ...(known ? { resources } : {}) },
    });
    return fleet.events();
  }

  it("ranks the same host first", () => {
    expect(redecided(placed("empty", candidates, true)).at(-1)).toMatchObject({ kind: "same" });
  });

  it("shows which other host would come first", () => {
    const packing: Deciders = {
      ...PRESENT_DECIDERS,
      rank: (drawn, sought) => PRESENT_DECIDERS.rank(drawn, { ...sought, policy: "pack" }),
    };
    expect(redecided(placed("empty", candidates, true), packing).at(-1)).toMatchObject({
      kind: "differs",
      instead: { kind: "other-host", hostId: "full", order: [{ hostId: "full" }, { hostId: "empty" }] },
      event: { type: "PlacementDecided", data: { hostId: "full" } },
    });
  });

  it("does not guess an order from what old releases kept", () => {
    const bare = candidates.map(({ bid: _, ...ranked }) => ranked);
    expect(redecided(placed("full", bare, true)).at(-1)).toMatchObject({ kind: "same" });
    expect(redecided(placed("full", candidates, false)).at(-1)).toMatchObject({ kind: "same" });
  });
});
