import type { AnyEvent } from "#contracts";
import type { Position, Refusal } from "#kernel";
import type { Entity, Fact } from "#timeline";
import type { EventRef } from "../event-ref.ts";

/** What is decided where something else was recorded. */
export type Instead =
  | { readonly kind: "event"; readonly event: AnyEvent }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** Nothing is to be done. */
  | { readonly kind: "unchanged" }
  /** Another host comes first. */
  | { readonly kind: "other-host"; readonly hostId: string; readonly order: readonly RankedAs[] }
  /** A decider failed, which it never should. */
  | { readonly kind: "threw"; readonly message: string };

export interface RankedAs {
  readonly hostId: string;
  readonly score: number;
}

/** A fact that is otherwise after the one decision than after the other. */
export interface DivergedFact {
  readonly entity: Entity;
  readonly path: string;
  readonly recorded?: Fact;
  readonly instead?: Fact;
}

/** The first decision that comes out otherwise. */
export interface Divergence {
  readonly event: EventRef;
  /** Everything before the decision. */
  readonly position: Position;
  readonly command: { readonly type: string; readonly inputs: Readonly<Record<string, unknown>> };
  readonly recorded: AnyEvent;
  readonly instead: Instead;
  /** Where the two events' data differ, by path. Empty unless both are events of one type. */
  readonly data: readonly { readonly path: string; readonly recorded?: Fact; readonly instead?: Fact }[];
  /** What the world would be otherwise right after it. */
  readonly facts: readonly DivergedFact[];
  /** What was otherwise before it already, of what the event is about: what the changed history led to. */
  readonly before: readonly DivergedFact[];
}

/** What came of living through history with a change. */
export interface WhatIf {
  /** In order; the first one alone unless more were asked for. Empty: nothing would have come out otherwise. */
  readonly divergences: readonly Divergence[];
  /** Where it ended. */
  readonly position: Position;
  readonly events: number;
  /** Decisions that were made again. */
  readonly decisions: number;
  /** Events whose decision could not be made again, by reason. */
  readonly notReplayable: Readonly<Record<string, number>>;
}
