import type { RecordedEvent } from "#contracts";
import { currentLogs, type HostLogView } from "#fleet";
import type { Position } from "#kernel";
import type { Effect, Entity, World } from "#timeline";

/** Something that has to hold at every moment of history. */
export interface Invariant {
  /** "no-overcommit"; of an expression, its text. */
  readonly name: string;
  /** One line, for people. */
  readonly says: string;
  /** Its check looks at the changes of each effect. */
  readonly needsChanges?: boolean;
  /** It speaks of what is missing: of history that events were left out of on purpose, it is not asked. */
  readonly needsWhole?: boolean;
  /** A check with a memory of its own, to be given every event from a world on. */
  check(): Check;
}

/** One event that was applied, and the world after it. */
export interface Step {
  readonly event: RecordedEvent;
  readonly effect: Effect;
  readonly world: World;
  /** The logs that count, by host id. */
  readonly logs: ReadonlyMap<string, HostLogView>;
}

/** A step that turned out later to have broken something. `position`: what the world included right after it. */
export interface PastStep {
  readonly step: Step;
  readonly position: Position;
}

/** How something stands that was looked at. */
export interface Status {
  readonly entity: Entity;
  /** What of it, where there are several. */
  readonly key?: string;
  /** What is wrong. Absent: nothing is, any more. */
  readonly broken?: string;
  /** It is over as soon as it has happened, and does not heal. */
  readonly isAct?: boolean;
  /** What broke it, where that shows later only. */
  readonly since?: PastStep;
}

export const NOTHING: readonly Status[] = [];

/** Follows the world event by event, and looks at no more than each of them touched. */
export abstract class Check {
  /** Looks at all of the world in which the look begins. Tells what is broken already. */
  begin(_world: World, _logs: ReadonlyMap<string, HostLogView>): readonly Status[] {
    return NOTHING;
  }

  /** Looks at the world right before an event changes it. */
  before(_world: World, _event: RecordedEvent): void {}

  /** Tells how things stand that the event may have changed. */
  abstract after(step: Step): readonly Status[];
}

/** The logs that count, found again only when an event may have changed which ones do. */
export class CurrentLogs {
  #known: ReadonlyMap<string, HostLogView> = new Map();
  #logCount = -1;

  of({ view }: World, event?: RecordedEvent): ReadonlyMap<string, HostLogView> {
    const isSame = view.logs.size === this.#logCount && event?.type !== "HostRegistered";
    if (isSame) return this.#known;
    this.#logCount = view.logs.size;
    this.#known = currentLogs(view);
    return this.#known;
  }
}
