import type { Position } from "#kernel";
import type { Change, Entity, EntityKind } from "#timeline";
import type { EventRef } from "./event-ref.ts";

/** What is otherwise at one moment than at another. */
export interface Diff {
  readonly from: DiffEnd;
  readonly to: DiffEnd;
  /** The moments were given the later one first: they are told of in the order of time. */
  readonly swapped: boolean;
  readonly entities: readonly EntityDiff[];
}

export interface DiffEnd {
  readonly position: Position;
  /** Epoch milliseconds of the latest event included; 0 before the first. */
  readonly atMs: number;
}

/** A change, and the event that made it. */
export type ToldChange = Change & { readonly event: EventRef };

export interface EntityDiff {
  readonly entity: Entity;
  readonly kind: "appeared" | "changed" | "gone";
  /** One sentence. */
  readonly title: string;
  readonly changes: readonly ToldChange[];
  /** Milliseconds in which a machine that routers could reach could not be reached, before it could again. */
  readonly routeGapMs?: number;
}

/** What is compared; everything where nothing is said. */
export interface DiffScope {
  /** This one alone; of an app, its machines and volumes too. */
  readonly entity?: Entity;
  readonly kinds?: readonly EntityKind[];
  /** Every change on the way, also of what is as it was in the end. */
  readonly all?: boolean;
}
