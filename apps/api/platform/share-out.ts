/** How many machines of one size a region would take. */
export interface RegionRoom {
  readonly region: string;
  readonly machines: number;
  /** That would take one each, so that so many can be made at once without meeting each other. */
  readonly hosts: number;
}

/** A region's part, as `POST /platform/placements` shows it. */
export interface RegionPlacement {
  readonly region: string;
  readonly count: number;
  readonly concurrency: number;
}

/**
 * Shares `count` machines out to regions: each takes what it can before the next one is asked, or, with `isEven`, all
 * take turns. Less than `count` in sum where there is no room for more; 0 gives each region all that it would take.
 */
export function shareOut(rooms: readonly RegionRoom[], count: number, isEven: boolean): RegionPlacement[] {
  const parts = new Map(rooms.map(({ region, machines }) => [region, count === 0 ? machines : 0]));
  for (let left = count; left > 0; ) {
    const open = rooms.filter(({ region, machines }) => machines > parts.get(region)!);
    if (open.length === 0) break;
    const turn = isEven ? Math.ceil(left / open.length) : left;
    for (const { region, machines } of open) {
      const taken = Math.min(turn, left, machines - parts.get(region)!);
      parts.set(region, parts.get(region)! + taken);
      left -= taken;
    }
  }
  return rooms.map(({ region, hosts }) => ({ region, count: parts.get(region)!, concurrency: hosts }));
}
