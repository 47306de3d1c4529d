import { type Entity, factsOf, type World } from "#timeline";
import type { Violation } from "./invariants/watch.ts";

/** Whether a violation is about an entity, or about something of its: of a host, what stands in its log. */
export function isAbout(scope: Entity, { entity, event }: Violation, world: World): boolean {
  if (isSame(scope, entity) || event.about.some((named) => isSame(scope, named))) return true;
  if (scope.kind === "host") return event.hostId === scope.id || factsOf(world, entity)?.host === scope.id;
  return scope.kind === "app" && factsOf(world, entity)?.app === scope.id;
}

function isSame(a: Entity, b: Entity): boolean {
  return a.kind === b.kind && a.id === b.id;
}
