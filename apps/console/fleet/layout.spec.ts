import { describe, expect, it } from "@jest/globals";
import { Scene } from "../history/scene.ts";
import { entityAt, layOut, neighbour } from "./layout.ts";

function fleetOf(hosts: number, machines: number): Scene {
  const scene = new Scene();
  scene.load({
    hosts: Array.from({ length: hosts }, (_, number) => ({ id: `host-${number + 1}`, facts: {} })),
    machines: Array.from({ length: machines }, (_, number) => ({
      id: `m${number}`,
      facts: {
        ...{ state: "started", host: `host-${(number % hosts) + 1}` },
        ipv4: `10.1.${Math.floor(number / 250)}.${number % 250}`,
      },
    })),
    ...{ volumes: [], apps: [] },
  });
  return scene;
}

describe("the map's layout", () => {
  it("shows a thousand machines without scrolling, each inside its host's room", () => {
    const layout = layOut(fleetOf(10, 1_000), 900, 800);
    expect(layout.height).toBeLessThanOrEqual(800);
    expect(layout.rooms.flatMap(({ tiles }) => tiles)).toHaveLength(1_000);
    for (const room of layout.rooms) {
      for (const { x, y } of room.tiles) {
        expect(x).toBeGreaterThan(room.x);
        expect(x + layout.tileWidth - 4).toBeLessThan(room.x + room.width);
        expect(y + layout.tileHeight - 4).toBeLessThan(room.y + room.height);
      }
    }
  });

  it("orders hosts by their numbers and machines by their addresses", () => {
    const { rooms } = layOut(fleetOf(11, 44), 900, 800);
    expect(rooms.map(({ hostId }) => hostId).slice(-2)).toEqual(["host-10", "host-11"]);
    expect(rooms[0]!.tiles.map(({ id }) => id)).toEqual(["m0", "m11", "m22", "m33"]);
  });

  it("leaves out what is gone", () => {
    const scene = fleetOf(1, 3);
    scene.facts("machine/m1")!.state = "destroyed";
    expect(layOut(scene, 900, 800).rooms[0]!.tiles.map(({ id }) => id)).toEqual(["m0", "m2"]);
  });

  it("finds what is at a place, and what is beside it", () => {
    const layout = layOut(fleetOf(2, 200), 900, 800);
    const [first, second] = layout.rooms[0]!.tiles;
    expect(entityAt(layout, first!.x + 2, first!.y + 2)).toBe(`machine/${first!.id}`);
    expect(entityAt(layout, layout.rooms[1]!.x + 3, layout.rooms[1]!.y + 3)).toBe("host/host-2");
    expect(entityAt(layout, 1, 1)).toBeUndefined();
    expect(neighbour(layout, undefined, "ArrowRight")).toBe(`machine/${first!.id}`);
    expect(neighbour(layout, `machine/${first!.id}`, "ArrowRight")).toBe(`machine/${second!.id}`);
    expect(neighbour(layout, `machine/${second!.id}`, "ArrowLeft")).toBe(`machine/${first!.id}`);
  });
});
