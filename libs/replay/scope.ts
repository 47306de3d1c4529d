import { RefusedError, refusal } from "#kernel";
import { type Effect, type Entity, factsOf, type World } from "#timeline";
import type { Standing, Violation } from "./invariants/watch.ts";

/** Whether a violation is about an entity, or about something of its: of a host, what stands in its log. */
export function isAbout(scope: Entity, { entity, event }: Violation, world: World): boolean {
  if (isSame(scope, entity) || event.about.some((named) => isSame(scope, named))) return true;
  if (scope.kind === "host") return event.hostId === scope.id || factsOf(world, entity)?.host === scope.id;
  return scope.kind === "app" && factsOf(world, entity)?.app === scope.id;
}

/** Whether something that was broken before is about an entity itself. */
export function isOf(scope: Entity, { entity }: Standing): boolean {
  return isSame(scope, entity);
}

/** Whether anything is told of an entity at all: that nothing of it is broken means nothing otherwise (F48). */
export class Sight {
  readonly #scope: Entity | undefined;
  #isSeen: boolean;

  constructor(scope: Entity | undefined) {
    this.#scope = scope;
    this.#isSeen = scope === undefined;
  }

  note({ touched }: Effect): void {
    if (this.#isSeen || this.#scope === undefined) return;
    for (const entity of touched) if (isSame(this.#scope, entity)) this.#isSeen = true;
  }

  /** Throws a refusal when nothing was. */
  assertSeen(): void {
    if (this.#isSeen || this.#scope === undefined) return;
    const { kind, id } = this.#scope;
    const message = `no event that was read is about ${kind} ${id}: name its whole id, or look further back`;
    throw new RefusedError(refusal("not_found", message));
  }
}

function isSame(a: Entity, b: Entity): boolean {
  return a.kind === b.kind && a.id === b.id;
}
