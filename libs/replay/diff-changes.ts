import type { RecordedEvent } from "#contracts";
import { wallMsOf } from "#kernel";
import { type Change, type Entity, formatEntity } from "#timeline";
import type { ToldChange } from "./diff-entity.ts";
import { eventRef } from "./event-ref.ts";
import { RouteGap } from "./route-gap.ts";

/** What became of one entity on a way through history. */
export interface Changed {
  readonly entity: Entity;
  /** By path: from what it was at the beginning to what it was last, and the event that made it so. */
  readonly net: Map<string, ToldChange>;
  /** In order; kept when asked for. */
  readonly every: ToldChange[];
  readonly routeGap: RouteGap;
}

/** Changes on a way through history, brought together by entity and path: memory grows with what changed, not with how often. */
export class Changes {
  readonly #keepsAll: boolean;
  readonly #byEntity = new Map<string, Changed>();

  constructor(keepsAll: boolean) {
    this.#keepsAll = keepsAll;
  }

  get all(): Iterable<Changed> {
    return this.#byEntity.values();
  }

  note(event: RecordedEvent, changes: readonly Change[]): void {
    if (changes.length === 0) return;
    const ref = eventRef(event);
    for (const change of changes) {
      const changed = this.#of(change.entity);
      if (this.#keepsAll) changed.every.push({ ...change, event: ref });
      changed.net.set(change.path, joined(changed.net.get(change.path), { ...change, event: ref }));
      if (change.path === "route.state") changed.routeGap.note(change, wallMsOf(event.header.clock));
    }
  }

  /** Goes this way back before going the way of `ahead`: what the two ways have in common cancels out. */
  backThen(ahead: Changes): Changes {
    const both = new Changes(false);
    for (const { entity, net } of this.all) {
      const changed = both.#of(entity);
      for (const [path, change] of net) changed.net.set(path, reversed(change));
    }
    for (const { entity, net, every, routeGap } of ahead.all) {
      const changed: Changed = { ...both.#of(entity), every, routeGap };
      both.#byEntity.set(formatEntity(entity), changed);
      for (const [path, change] of net) changed.net.set(path, joined(changed.net.get(path), change));
    }
    return both;
  }

  #of(entity: Entity): Changed {
    const key = formatEntity(entity);
    let changed = this.#byEntity.get(key);
    if (changed === undefined) {
      changed = { entity, net: new Map(), every: [], routeGap: new RouteGap() };
      this.#byEntity.set(key, changed);
    }
    return changed;
  }
}

/** One change after another of the same path. */
function joined(first: ToldChange | undefined, then: ToldChange): ToldChange {
  if (first === undefined) return then;
  const { before: _, ...rest } = then;
  return first.before === undefined ? rest : { ...rest, before: first.before };
}

function reversed({ before, after, ...rest }: ToldChange): ToldChange {
  return {
    ...rest,
    ...(after === undefined ? {} : { before: after }),
    ...(before === undefined ? {} : { after: before }),
  };
}
