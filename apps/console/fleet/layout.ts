import { type LiveFacts, textOf } from "../history/facts.ts";
import type { Scene } from "../history/scene.ts";
import { isGone } from "./machine-look.ts";

/** A machine's place, from the map's upper left corner, in pixels. */
export interface Tile {
  readonly id: string;
  readonly facts: LiveFacts;
  readonly x: number;
  readonly y: number;
}

export interface Room {
  readonly hostId: string;
  /** Absent for a host that machines name and nothing else tells of. */
  readonly facts: LiveFacts | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly Tile[];
}

export interface FleetLayout {
  readonly rooms: readonly Room[];
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly height: number;
}

/**
 * Tiles from those with a name in them, which take all the width there is, to the smallest that a finger finds. The gap
 * beside each is in its size.
 */
const SIZES = [
  [150, 34],
  [110, 28],
  [34, 34],
  [26, 26],
  [20, 20],
  [16, 16],
  [13, 13],
] as const;
const NARROWEST_ROOM = 240;
export const ROOM_HEAD = 66;
export const ROOM_SIDE = 10;
const GAP = 12;

/** Where everything is: the largest tiles with which all fits, else the smallest, and the map scrolls. */
export function layOut(scene: Scene, width: number, height: number): FleetLayout {
  const hosts = machinesByHost(scene);
  let layout: FleetLayout | undefined;
  for (const size of SIZES) {
    layout = placeRooms(scene, hosts, width, size);
    if (layout.height <= height) break;
  }
  return layout!;
}

type Machines = readonly (readonly [string, LiveFacts])[];

/** Machines in the order in which their host gave them addresses, so that a new one comes last. */
function machinesByHost(scene: Scene): ReadonlyMap<string, Machines> {
  const hosts = new Map<string, (readonly [string, LiveFacts])[]>();
  for (const id of [...scene.all("host").keys()].sort(byNumber)) hosts.set(id, []);
  const present = [...scene.all("machine")].filter(([, facts]) => !isGone(facts));
  const ordered = present.map((machine) => ({ machine, address: addressOf(machine[1]) }));
  ordered.sort((one, other) => one.address - other.address || (one.machine[0] < other.machine[0] ? -1 : 1));
  for (const { machine } of ordered) {
    const hostId = textOf(machine[1], "host");
    if (hostId === "") continue;
    const machines = hosts.get(hostId);
    if (machines === undefined) hosts.set(hostId, [machine]);
    else machines.push(machine);
  }
  return hosts;
}

function placeRooms(
  scene: Scene,
  hosts: ReadonlyMap<string, Machines>,
  width: number,
  [least, tileHeight]: readonly [number, number],
): FleetLayout {
  const columns = Math.max(1, Math.min(hosts.size, Math.floor((width - GAP) / (NARROWEST_ROOM + GAP))));
  const roomWidth = Math.floor((width - GAP) / columns) - GAP;
  const inside = roomWidth - 2 * ROOM_SIDE + 4;
  const perRow = Math.max(1, Math.floor(inside / least));
  const tileWidth = least === tileHeight ? least : Math.floor(inside / perRow);
  const rooms: Room[] = [];
  let y = GAP;
  const all = [...hosts];
  for (let start = 0; start < all.length; start += columns) {
    const row = all.slice(start, start + columns);
    const most = Math.max(...row.map(([, machines]) => machines.length), 1);
    const height = ROOM_HEAD + Math.ceil(most / perRow) * tileHeight + ROOM_SIDE;
    row.forEach(([hostId, machines], column) => {
      const x = GAP + column * (roomWidth + GAP);
      const tiles = machines.map(([id, facts], place) => ({
        ...{ id, facts },
        x: x + ROOM_SIDE + (place % perRow) * tileWidth,
        y: y + ROOM_HEAD + Math.floor(place / perRow) * tileHeight,
      }));
      rooms.push({ hostId, facts: scene.all("host").get(hostId), x, y, width: roomWidth, height, tiles });
    });
    y += height + GAP;
  }
  return { rooms, tileWidth, tileHeight, height: y };
}

function addressOf(facts: LiveFacts): number {
  return textOf(facts, "ipv4")
    .split(".")
    .reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** "host-2" before "host-10". */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** What is at a place of the map: "machine/ID" or "host/ID". */
export function entityAt(layout: FleetLayout, x: number, y: number): string | undefined {
  const room = layout.rooms.find(
    (each) => x >= each.x && x < each.x + each.width && y >= each.y && y < each.y + each.height,
  );
  if (room === undefined) return undefined;
  const { tileWidth, tileHeight } = layout;
  const tile = room.tiles.find(
    (each) => x >= each.x && x < each.x + tileWidth - 2 && y >= each.y && y < each.y + tileHeight - 2,
  );
  return tile === undefined ? `host/${room.hostId}` : `machine/${tile.id}`;
}

/** The tile that an arrow key leads to from a machine; the first one when nothing is selected. */
export function neighbour(layout: FleetLayout, from: string | undefined, key: string): string | undefined {
  const tiles = layout.rooms.flatMap((room) => room.tiles);
  const here = tiles.find(({ id }) => `machine/${id}` === from);
  if (here === undefined) return tiles[0] === undefined ? undefined : `machine/${tiles[0].id}`;
  const [dx, dy] = ARROWS[key] ?? [0, 0];
  let best: Tile | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const tile of tiles) {
    const along = (tile.x - here.x) * dx + (tile.y - here.y) * dy;
    const aside = Math.abs((tile.x - here.x) * dy) + Math.abs((tile.y - here.y) * dx);
    const distance = along + 3 * aside;
    if (along > 0 && distance < bestDistance) [best, bestDistance] = [tile, distance];
  }
  return best === undefined ? undefined : `machine/${best.id}`;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
