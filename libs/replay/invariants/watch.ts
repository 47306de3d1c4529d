import type { RecordedEvent } from "#contracts";
import type { Position } from "#kernel";
import {
  applyAndCompare,
  applyAndTouch,
  type Effect,
  type Entity,
  formatEntity,
  type World,
} from "#timeline";
import { type EventRef, eventRef } from "../event-ref.ts";
import { type Check, CurrentLogs, type Invariant, type Status, type Step } from "./invariant.ts";

/** What was broken, by which event. It is kept also when it healed. */
export interface Violation {
  readonly invariant: string;
  readonly entity: Entity;
  /** One line. */
  readonly message: string;
  /** The event that broke it. */
  readonly event: EventRef;
  /** The event after which it held again. What an event did and no state shows does not heal. */
  readonly healedBy?: EventRef;
}

/** What was broken where the look began: by an event before that. */
export type Standing = Omit<Violation, "event" | "healedBy">;

/** A violation as it is found. */
export interface Found {
  readonly violation: Violation;
  /** The event that broke it. */
  readonly event: RecordedEvent;
  /** What the event that broke it did. */
  readonly effect: Effect;
  /** What the world included right after that event. */
  readonly position: Position;
}

/** What one event did. */
export interface Watched {
  readonly effect: Effect;
  readonly broken: readonly Found[];
  readonly healed: readonly Violation[];
}

interface Watching {
  readonly invariant: Invariant;
  readonly check: Check;
  /** By entity and key: what is broken now. */
  readonly open: Map<string, Violation | "before">;
}

const NONE: readonly never[] = [];

/** Follows a world, and tells what each event broke and healed. */
export class Watch {
  readonly world: World;
  /** What was broken when the watch began. */
  readonly standing: readonly Standing[];
  readonly #logs = new CurrentLogs();
  readonly #watching: readonly Watching[];
  readonly #compares: boolean;

  /** The world is changed in place from now on. Without `tellsChanges`, effects tell what is touched alone: in half the time. */
  constructor(world: World, invariants: readonly Invariant[], { tellsChanges = true } = {}) {
    this.world = world;
    this.#compares = tellsChanges || invariants.some(({ needsChanges }) => needsChanges === true);
    this.#watching = invariants.map((invariant) => ({
      invariant,
      check: invariant.check(),
      open: new Map(),
    }));
    this.standing = this.#watching.flatMap((watching) => this.#begin(watching));
  }

  /** Applies the next event. */
  apply(event: RecordedEvent): Watched {
    const { world } = this;
    for (const { check } of this.#watching) check.before(world, event);
    const effect = this.#compares
      ? applyAndCompare(world, event)
      : applyAndTouch(world, event, this.#logs.of(world));
    const logs = this.#logs.of(world, event);
    const step: Step = { event, effect, world, logs };
    const broken: Found[] = [];
    const healed: Violation[] = [];
    for (const watching of this.#watching) {
      for (const status of watching.check.after(step)) {
        const news = take(watching, status, step);
        if (news === undefined) continue;
        if (news.healedBy === undefined) broken.push(found(news, status, step));
        else healed.push(news);
      }
    }
    return {
      effect,
      broken: broken.length === 0 ? NONE : broken,
      healed: healed.length === 0 ? NONE : healed,
    };
  }

  /** Whether what was broken is so still. What an event did, and no state shows, never is. */
  isOpen({ invariant: name, entity, event }: Violation): boolean {
    const watching = this.#watching.find(({ invariant }) => invariant.name === name);
    const place = formatEntity(entity);
    for (const [key, open] of watching?.open ?? []) {
      if (open !== "before" && open.event.id === event.id && key.startsWith(`${place} `)) return true;
    }
    return false;
  }

  #begin({ invariant, check, open }: Watching): Standing[] {
    const { world } = this;
    return check.begin(world, this.#logs.of(world)).map((status) => {
      open.set(keyOf(status), "before");
      return { invariant: invariant.name, entity: status.entity, message: status.broken ?? "" };
    });
  }
}

function found(violation: Violation, { since }: Status, { event, effect, world }: Step): Found {
  if (since === undefined) return { violation, event, effect, position: { ...world.position } };
  const { step, position } = since;
  return { violation, event: step.event, effect: step.effect, position };
}

/** The violation that this is news of: one more, or one that healed. */
function take({ invariant, open }: Watching, status: Status, step: Step): Violation | undefined {
  const { entity, broken, isAct = false } = status;
  const key = keyOf(status);
  const standing = open.get(key);
  if (broken === undefined) {
    open.delete(key);
    if (standing === undefined || standing === "before") return undefined;
    return { ...standing, healedBy: eventRef(step.event) };
  }
  if (standing !== undefined) return undefined;
  const event = eventRef((status.since?.step ?? step).event);
  const violation = { invariant: invariant.name, entity, message: broken, event };
  if (!isAct) open.set(key, violation);
  return violation;
}

function keyOf({ entity, key = "" }: Status): string {
  return `${formatEntity(entity)} ${key}`;
}
