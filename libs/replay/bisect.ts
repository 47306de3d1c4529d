import type { Moment } from "#fleet";
import type { Position } from "#kernel";
import {
  applyAndCompare,
  type Change,
  type Entity,
  type Facts,
  factsOf,
  formatEntity,
  type Timeline,
  type World,
} from "#timeline";
import type { Invariant } from "./invariants/invariant.ts";
import { type Found, type Standing, type Violation, Watch } from "./invariants/watch.ts";
import { isAbout, isOf, Sight } from "./scope.ts";
import { endOf, type VerdictEnd, worldAt } from "./verify.ts";

/** Where is looked. */
export interface BisectScope {
  /** What is about this alone. */
  readonly entity?: Entity;
  readonly since?: Moment;
  readonly until?: Moment;
  /** Is called now and then with the events read so far, and where they end. */
  readonly onProgress?: (events: number, world: World) => void;
}

/** The first event that broke an invariant, if any did. */
export interface Bisection {
  readonly invariant: string;
  readonly says: string;
  readonly first?: FirstBreak;
  /** Broken before the first event that was read: look further back. */
  readonly standing: readonly Standing[];
  /** How many events were read, to the break and on to what healed it. */
  readonly events: number;
  readonly from: VerdictEnd;
  readonly to: VerdictEnd;
}

export interface FirstBreak {
  readonly violation: Violation;
  /** The last position at which it held, and the first at which it does not. */
  readonly good: Position;
  readonly bad: Position;
  /** What the event changed. */
  readonly changes: readonly Change[];
  /** What was broken, right after the event. Absent when it is not there then. */
  readonly facts?: Facts;
}

const PROGRESS_EVERY = 10_000;

/**
 * Reads history in causal order until an invariant breaks, and on to where it heals. As it may heal, half of history says
 * nothing about the other half: there is no shortcut but to begin at a later checkpoint.
 */
export async function bisect(
  timeline: Timeline,
  invariant: Invariant,
  scope: BisectScope = {},
): Promise<Bisection> {
  const { since, until, onProgress } = scope;
  const world = await worldAt(timeline, since);
  const from = endOf(world);
  const watch = new Watch(world, [invariant], { tellsChanges: false });
  const sight = new Sight(scope.entity);
  let events = 0;
  let isOver = false;
  let first: FirstBreak | undefined;
  for await (const batch of timeline.after(world, until === undefined ? {} : { until })) {
    for (const event of batch) {
      const { broken, healed, effect } = watch.apply(event);
      events += 1;
      sight.note(effect);
      if (events % PROGRESS_EVERY === 0) onProgress?.(events, world);
      if (first === undefined) {
        const found = broken.find(({ violation }) => isInScope(scope, violation, world));
        if (found !== undefined) first = await firstBreak(timeline, found);
      } else {
        const mended = healed.find((one) => isSame(one, first!.violation));
        if (mended !== undefined) first = { ...first, violation: mended };
      }
      isOver = first !== undefined && isSettled(first.violation, watch);
      if (isOver) break;
    }
    if (isOver) break;
  }
  if (first === undefined) sight.assertSeen();
  const { name, says } = invariant;
  const standing = watch.standing.filter((one) => scope.entity === undefined || isOf(scope.entity, one));
  const found = first === undefined ? {} : { first };
  return { invariant: name, says, ...found, standing, events, from, to: endOf(world) };
}

function isInScope({ entity }: BisectScope, violation: Violation, world: World): boolean {
  return entity === undefined || isAbout(entity, violation, world);
}

/** Whether it healed, or is what never does. */
function isSettled(violation: Violation, watch: Watch): boolean {
  return violation.healedBy !== undefined || !watch.isOpen(violation);
}

function isSame(a: Violation, b: Violation): boolean {
  const isOfSame = a.message === b.message && formatEntity(a.entity) === formatEntity(b.entity);
  return isOfSame && a.event.id === b.event.id;
}

/** Looks at the event once more, now for what it changed. */
async function firstBreak(timeline: Timeline, { violation, event, position }: Found): Promise<FirstBreak> {
  const good = { ...position, [event.log]: event.sequence - 1 };
  const world = await timeline.at({ kind: "position", position: good });
  const { changes } = applyAndCompare(world, event);
  const facts = factsOf(world, violation.entity);
  return { violation, good, bad: position, changes, ...(facts === undefined ? {} : { facts }) };
}
