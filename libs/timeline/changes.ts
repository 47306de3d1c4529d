import type { RecordedEvent } from "#contracts";
import type { HostLogView } from "#fleet";
import { type Entity, formatEntity, mayReplaceLog, touchedBy } from "./entity.ts";
import { type Fact, type Facts, factsOf } from "./facts.ts";
import type { World } from "./world.ts";

/** One fact that is otherwise than before. Absent: it was not, or is not any more, the case. */
export interface Change {
  readonly entity: Entity;
  readonly path: string;
  readonly before?: Fact;
  readonly after?: Fact;
}

/** What one event did to the world. */
export interface Effect {
  readonly changes: readonly Change[];
  /** Everything that it may have changed, also where no fact is otherwise. */
  readonly touched: readonly Entity[];
  /** Why it could not be folded, if so (I10). */
  readonly unfolded?: string;
}

/** Applies an event to the world and tells which facts it changed. */
export function applyAndCompare(world: World, event: RecordedEvent): Effect {
  const touched = touchedBy(event, world.view);
  const before = new Map(touched.map((entity) => [formatEntity(entity), factsOf(world, entity)]));
  const unfolded = world.apply(event);
  if (mayReplaceLog(event)) {
    touched.push(...touchedBy(event, world.view).filter((entity) => !before.has(formatEntity(entity))));
  }
  const changes = touched.flatMap((entity) =>
    changesOf(entity, before.get(formatEntity(entity)), factsOf(world, entity)),
  );
  return { changes, touched, ...(unfolded === undefined ? {} : { unfolded }) };
}

/** Applies an event to the world and tells what it touched, without looking at any fact. `logs`: as for `touchedBy`. */
export function applyAndTouch(
  world: World,
  event: RecordedEvent,
  logs?: ReadonlyMap<string, HostLogView>,
): Effect {
  const touched = touchedBy(event, world.view, logs);
  const unfolded = world.apply(event);
  if (mayReplaceLog(event)) {
    const before = new Set(touched.map(formatEntity));
    touched.push(...touchedBy(event, world.view).filter((entity) => !before.has(formatEntity(entity))));
  }
  return { changes: [], touched, ...(unfolded === undefined ? {} : { unfolded }) };
}

/** The facts that differ, in the order of their paths. */
export function changesOf(entity: Entity, before: Facts = {}, after: Facts = {}): Change[] {
  if (before === after) return [];
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths]
    .filter((path) => before[path] !== after[path])
    .sort()
    .map((path) => ({
      entity,
      path,
      ...(before[path] === undefined ? {} : { before: before[path] }),
      ...(after[path] === undefined ? {} : { after: after[path] }),
    }));
}
