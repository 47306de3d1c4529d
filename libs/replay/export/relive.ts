import type { RecordedEvent } from "#contracts";
import type { Effect, World } from "#timeline";
import { type StateBefore, worldFrom } from "../archive/base-parts.ts";
import type { Invariant } from "../invariants/invariant.ts";
import { type Found, Watch } from "../invariants/watch.ts";
import type { Deciders } from "../redecide/deciders.ts";
import { type Redecided, redecide } from "../redecide/redecide.ts";

/** Events, and the state before them where they do not begin with their logs. */
export interface Stretched {
  readonly events: readonly RecordedEvent[];
  readonly base?: StateBefore;
}

/** One event as it was lived through again. */
export interface Lived {
  readonly recorded: RecordedEvent;
  readonly outcome: Redecided | { readonly kind: "taken" };
  /** What happened instead of it, or it itself; undefined: nothing did. */
  readonly event?: RecordedEvent;
  readonly effect?: Effect;
  readonly broken: readonly Found[];
  readonly world: World;
}

/**
 * Lives through a slice again: each decision is made anew, on a world in which what was decided anew has happened, by
 * `deciders`; without them, what was recorded happens as it was. What cannot be decided again happens as it was, too.
 */
export function* relive(
  { events, base }: Stretched,
  deciders: Deciders | undefined,
  invariants: readonly Invariant[] = [],
): Generator<Lived> {
  const watch = new Watch(worldFrom(base), invariants);
  for (const recorded of events) {
    const { world } = watch;
    const outcome =
      deciders === undefined ? ({ kind: "taken" } as const) : redecide(recorded, world, deciders);
    const event = happened(recorded, outcome);
    if (event === undefined) yield { recorded, outcome, broken: [], world };
    else {
      const { effect, broken } = watch.apply(event);
      yield { recorded, outcome, event, effect, broken, world };
    }
  }
}

/** What takes the place of an event in the log once it was decided otherwise. */
export function happened(recorded: RecordedEvent, outcome: Lived["outcome"]): RecordedEvent | undefined {
  if (outcome.kind !== "differs") return recorded;
  return outcome.event && ({ ...recorded, ...outcome.event } as RecordedEvent);
}
