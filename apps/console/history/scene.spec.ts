import { describe, expect, it } from "@jest/globals";
import type { ReplayChange, ReplayStep } from "#contracts";
import { Scene } from "./scene.ts";

const EMPTY = { hosts: [], machines: [], volumes: [], apps: [] };

function step(...changes: ReplayChange[]): ReplayStep {
  return {
    ...{ id: "01", log: "L", sequence: 1, atMs: 1, clock: "0-0", type: "MachineStarted", actor: "test" },
    ...{ correlationId: "", causationId: "", about: [], summary: "", failure: false, changes },
  };
}

const appears = step(
  { entity: "machine/m1", path: "state", after: "creating" },
  { entity: "machine/m1", path: "host", after: "host-1" },
);
const starts = step({ entity: "machine/m1", path: "state", before: "creating", after: "started" });
const goes = step({ entity: "machine/m1", path: "state", before: "started", after: "destroyed" });

describe("the scene", () => {
  it("is the same after going on and back", () => {
    const scene = new Scene();
    scene.load(EMPTY);
    for (const each of [appears, starts]) scene.apply(each);
    expect(scene.facts("machine/m1")).toEqual({ state: "started", host: "host-1" });
    scene.revert(starts);
    expect(scene.facts("machine/m1")).toEqual({ state: "creating", host: "host-1" });
    scene.revert(appears);
    expect(scene.facts("machine/m1")).toBeUndefined();
    expect(scene.incomplete.size).toBe(0);
  });

  it("tells of coming, going and moving, and not of every change", () => {
    const scene = new Scene();
    const tells = (each: ReplayStep) => {
      const before = scene.membership;
      scene.apply(each);
      return scene.membership !== before;
    };
    expect([appears, starts, goes].map(tells)).toEqual([true, false, true]);
  });

  it("fills in what came back without its past, and changes nothing that is known", () => {
    const scene = new Scene();
    scene.load(EMPTY);
    scene.revert(goes);
    expect([...scene.incomplete]).toEqual(["machine/m1"]);
    const facts = { state: "stopping", host: "host-1", name: "web" };
    scene.complete({ machines: [{ id: "m1", facts }], volumes: [] });
    expect(scene.facts("machine/m1")).toEqual({ state: "started", host: "host-1", name: "web" });
    expect(scene.incomplete.size).toBe(0);
  });
});
