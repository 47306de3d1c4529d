import { describe, expect, it } from "@jest/globals";
import type { Snapshot, Volume } from "#volumes";
import { DAY_MS, dailyDue, expiryDue } from "./due.ts";

const CREATED_MS = Date.UTC(2026, 5, 1);
const VOLUME: Volume = {
  id: "vol_0123456789abcdef",
  appName: "app",
  name: "data",
  region: "local",
  epoch: 1,
  state: "created",
  sizeGb: 1,
  autoBackup: true,
  snapshotRetentionDays: 5,
  createdAtMs: CREATED_MS,
  updatedAtMs: CREATED_MS,
  decidedCommands: [],
};

function snapshot(id: string, more: Partial<Snapshot> = {}): Snapshot {
  const of = { volumeId: VOLUME.id, appName: "app", volumeName: "data", volumeSizeGb: 1 };
  const about = { origin: "daily", heldMib: 1, retentionDays: 5, createdAtMs: CREATED_MS };
  return { id, ...of, ...about, state: "created", ...more };
}

const dueAfter = (ms: number, own: readonly Snapshot[] = [], volume = VOLUME) =>
  dailyDue(volume, own, CREATED_MS + ms)?.snapshotId;

describe("dailyDue", () => {
  it("is one snapshot a day, whenever in it somebody looks", () => {
    expect(dueAfter(0)).toBeUndefined();
    const first = dueAfter(DAY_MS)!;
    expect(first).toMatch(/^vs_[0-9a-f]{16}$/);
    const ids = Array.from({ length: 24 * 5 }, (_, hour) => dueAfter(DAY_MS + (hour * DAY_MS) / 24)!);
    expect(new Set(ids).size).toBe(6);
    expect(dueAfter(DAY_MS, [snapshot(first)])).toBeUndefined();
    expect(dueAfter(2 * DAY_MS, [snapshot(first)])).toMatch(/^vs_/);
  });

  it("owes nothing for days on which nobody looked", () => {
    const late = dueAfter(30 * DAY_MS)!;
    expect(dueAfter(30 * DAY_MS, [snapshot(late)])).toBeUndefined();
  });

  it("begins at another time for another volume", () => {
    const due = (volume: Volume) =>
      Array.from({ length: 24 }, (_, hour) => dueAfter((hour * DAY_MS) / 24, [], volume)).findIndex(Boolean);
    const times = Array.from({ length: 20 }, (_, index) =>
      due({ ...VOLUME, id: `vol_00000000000000${String(index).padStart(2, "0")}` }),
    );
    expect(new Set(times).size).toBeGreaterThan(5);
  });

  it("tries a failed one anew, and gives that day up in the end", () => {
    const failed: Snapshot[] = [];
    for (let id = dueAfter(DAY_MS); id !== undefined; id = dueAfter(DAY_MS, failed)) {
      failed.push(snapshot(id, { state: "destroyed", error: { code: "disk_full", message: "full" } }));
    }
    expect(new Set(failed.map(({ id }) => id)).size).toBe(3);
  });

  it.each([[{ autoBackup: false }], [{ state: "pending_destroy" }], [{ state: "creating" }]] as const)(
    "owes nothing to one that is %j",
    (more) => {
      expect(dueAfter(DAY_MS, [], { ...VOLUME, ...more })).toBeUndefined();
    },
  );
});

describe("expiryDue", () => {
  it("comes when its days are over, also after its volume has gone", () => {
    const kept = snapshot("vs_0000000000000001", { retentionDays: 2 });
    expect(expiryDue(kept, CREATED_MS + 2 * DAY_MS - 1)).toBeUndefined();
    expect(expiryDue(kept, CREATED_MS + 2 * DAY_MS)).toMatchObject({
      command: "DestroySnapshot",
      snapshotId: kept.id,
    });
    expect(expiryDue({ ...kept, state: "destroying" }, CREATED_MS + 2 * DAY_MS)).toBeUndefined();
  });
});
