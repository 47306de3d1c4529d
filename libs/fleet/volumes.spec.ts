import { beforeEach, describe, expect, it } from "@jest/globals";
import type { RecordedEvent } from "#contracts";
import { SimulatedFleet } from "#testing";
import { evolveFleet } from "./evolve.ts";
import { emptyFleet, type FleetView, fleetFromJson, fleetHash, fleetToJson } from "./fleet-view.ts";
import { findSnapshot, findVolume, listSnapshots, listVolumes } from "./volumes.ts";

const VOLUME = "vol_0000000000000001";
const SNAPSHOT = "vs_0000000000000001";
const capacity = { cpuMillis: 1_000, memoryMib: 1_000, volumeMib: 10_240 };
const placed = { volumeId: VOLUME, appName: "hello", epoch: 1 };

let fleet: SimulatedFleet;
beforeEach(() => {
  fleet = new SimulatedFleet(1);
  for (const hostId of ["host-a", "host-b"]) fleet.join(hostId);
  tell({ type: "MeasureCapacity", capacity, maxMachines: 10, features: [] });
  const decided = { hostId: "host-a", region: "local", candidates: [], refusals: [] };
  fleet.decideControl({ type: "DecidePlacement", ...placed, ...decided });
});

function tell(command: Parameters<SimulatedFleet["decideHost"]>[1]): void {
  fleet.decideHost("host-a", command);
}

function fold(events: readonly RecordedEvent[]): FleetView {
  return events.reduce(evolveFleet, emptyFleet());
}

const issued = () => ({ commandId: fleet.ids.ulid(), atMs: fleet.clock.nowMs(), origin: "user" });

function make(): void {
  const described = { name: "data", sizeGb: 4, autoBackup: true, snapshotRetentionDays: 5, origin: "user" };
  tell({ type: "CommitVolume", reservationId: fleet.ids.ulid(), ...placed, ...described });
  complete({ fstype: "btrfs" });
}

function complete(output: Record<string, unknown> | null, snapshotId?: string): void {
  const { volumes, snapshots } = fleet.host("host-a");
  const subject = snapshotId === undefined ? volumes.get(VOLUME) : snapshots.get(snapshotId);
  const outcome = { kind: "completed", output } as const;
  const command = { type: "RecordStep", ...issued(), operationId: subject!.operation!.id, outcome } as const;
  tell(
    snapshotId === undefined
      ? { type: "Volume", volumeId: VOLUME, command }
      : { type: "Snapshot", volumeId: VOLUME, snapshotId, command },
  );
}

describe("the fleet's volumes", () => {
  it("are known from their placement on, then from their host", () => {
    const view = fold(fleet.events());
    expect(listVolumes(view)).toEqual([{ ...placed, hostId: "host-a", region: "local" }]);
    make();
    const made = fold(fleet.events());
    expect(findVolume(made, VOLUME)).toMatchObject({
      hostId: "host-a",
      volume: { state: "created", sizeGb: 4 },
    });
    expect(listVolumes(made, "hello")).toHaveLength(1);
    expect(listVolumes(made, "else")).toEqual([]);
  });

  it("leave their snapshots behind, and their placement in nobody's way, in whatever order the logs come", () => {
    make();
    tell({ type: "TakeSnapshot", volumeId: VOLUME, snapshotId: SNAPSHOT, reservedMib: 1, origin: "user" });
    complete({ sizeBytes: 5 }, SNAPSHOT);
    tell({ type: "Volume", volumeId: VOLUME, command: { type: "DestroyVolume", ...issued() } });
    complete(null);
    const views = [fold(fleet.events()), fold([...fleet.logs.values()].reverse().flat())];
    for (const view of views) {
      expect(view.control.volumePlacements.size).toBe(0);
      expect(findVolume(view, VOLUME)).toMatchObject({ volume: { state: "destroyed" } });
      expect(findSnapshot(view, SNAPSHOT)).toMatchObject({ hostId: "host-a", snapshot: { sizeBytes: 5 } });
      expect(listSnapshots(view, VOLUME)).toHaveLength(1);
      expect(fleetHash(fleetFromJson(JSON.parse(JSON.stringify(fleetToJson(view)))))).toBe(
        fleetHash(views[0]!),
      );
    }
  });
});
