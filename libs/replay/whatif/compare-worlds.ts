import type { AnyEvent, RecordedEvent } from "#contracts";
import {
  applyAndCompare,
  type Change,
  type Fact,
  factsOf,
  formatEntity,
  touchedBy,
  type World,
} from "#timeline";
import { baseOf, worldFrom } from "../archive/base-parts.ts";
import { entitiesNamedBy } from "../event-ref.ts";
import type { DivergedFact, Divergence } from "./divergence.ts";

/** What would be otherwise after the one event than after the other (or none). The world stays as it is. */
export function divergedFacts(
  world: World,
  recorded: RecordedEvent,
  instead: RecordedEvent | undefined,
): DivergedFact[] {
  const base = baseOf(world);
  const after = (event: RecordedEvent | undefined) =>
    event === undefined ? [] : applyAndCompare(worldFrom(base), event).changes;
  const [was, would] = [after(recorded), after(instead)].map(
    (changes) => new Map(changes.map((change) => [placeOf(change), change])),
  );
  const places = new Set([...was!.keys(), ...would!.keys()]);
  return [...places].flatMap((place) => {
    const [one, other] = [was!.get(place), would!.get(place)];
    const { entity, path, before } = (one ?? other)!;
    const diverged = {
      entity,
      path,
      ...ends(one === undefined ? before : one.after, other === undefined ? before : other.after),
    };
    return diverged.recorded === diverged.instead ? [] : [diverged];
  });
}

/** What was otherwise already, of everything that an event is about. `actual`: the world as it was. */
export function divergedBefore(actual: World, supposed: World, event: RecordedEvent): DivergedFact[] {
  const about = [...touchedBy(event, actual.view), ...entitiesNamedBy(event)];
  const entities = new Map(about.map((entity) => [formatEntity(entity), entity]));
  return [...entities.values()].flatMap((entity) => {
    const [was, would] = [factsOf(actual, entity) ?? {}, factsOf(supposed, entity) ?? {}];
    const paths = [...new Set([...Object.keys(was), ...Object.keys(would)])].sort();
    return paths
      .filter((path) => was[path] !== would[path])
      .map((path) => ({ entity, path, ...ends(was[path], would[path]) }));
  });
}

/** Where the data of two events of one type differ. */
export function divergedData(recorded: AnyEvent, instead: AnyEvent | undefined): Divergence["data"] {
  if (instead?.type !== recorded.type) return [];
  const [was, would] = [flat(recorded.data), flat(instead.data)];
  const paths = [...new Set([...was.keys(), ...would.keys()])].sort();
  return paths
    .filter((path) => was.get(path) !== would.get(path))
    .map((path) => ({ path, ...ends(was.get(path), would.get(path)) }));
}

function ends(recorded: Fact | undefined, instead: Fact | undefined) {
  return {
    ...(recorded === undefined ? {} : { recorded }),
    ...(instead === undefined ? {} : { instead }),
  };
}

function placeOf({ entity, path }: Change): string {
  return `${formatEntity(entity)} ${path}`;
}

function flat(value: unknown, path = "", into = new Map<string, Fact>()): Map<string, Fact> {
  if (value === undefined || value === null) return into;
  if (typeof value !== "object") return into.set(path, value as Fact);
  for (const [key, member] of Object.entries(value)) flat(member, path === "" ? key : `${path}.${key}`, into);
  return into;
}
