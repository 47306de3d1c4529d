import type { ArchivePart } from "#contracts";
import { fleetFromJson, fleetToJson } from "#fleet";
import { type Position } from "#kernel";
import { World } from "#timeline";

type FleetJson = ReturnType<typeof fleetToJson>;

/** The state before a slice, as an archive holds it: plain JSON, which is not changed. */
export interface StateBefore {
  readonly fleet: FleetJson;
  readonly position: Position;
  /** Wall time of its last event. */
  readonly nowMs: number;
}

/** A world as the base of what comes after it. Goes on being the caller's. */
export function baseOf(world: World): StateBefore {
  const fleet = structuredClone(fleetToJson(world.view));
  return { fleet, position: { ...world.position }, nowMs: world.nowMs };
}

/** The world that a base describes; the empty one without. Each call gives another, for the caller to go on from. */
export function worldFrom(base: StateBefore | undefined): World {
  if (base === undefined) return new World();
  return new World(fleetFromJson(structuredClone(base.fleet)), base.position, base.nowMs);
}

/** A base in parts, a log to each: no line of an archive has to hold everything. */
export function partsOf({ fleet }: StateBefore): ArchivePart[] {
  const { control, logs, ...rest } = fleet;
  return [
    { part: "control", state: control as ArchivePart["state"] },
    ...logs.map((state) => ({ part: "log" as const, state: state as unknown as ArchivePart["state"] })),
    { part: "rest", state: rest as unknown as ArchivePart["state"] },
  ];
}

/** The other way round. Throws where parts are missing, or no such state can be read from them. */
export function baseFrom(parts: readonly ArchivePart[], position: Position, nowMs: number): StateBefore {
  const only = (name: ArchivePart["part"]) => {
    const found = parts.filter(({ part }) => part === name);
    if (found.length !== 1) throw new Error(`${found.length} parts "${name}": there is one`);
    return found[0]!.state;
  };
  const logs = parts.filter(({ part }) => part === "log").map(({ state }) => state);
  const fleet = { ...only("rest"), control: only("control"), logs } as unknown as FleetJson;
  const base = { fleet, position, nowMs };
  worldFrom(base);
  return base;
}
