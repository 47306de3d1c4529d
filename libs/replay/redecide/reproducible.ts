import type { RecordedEvent } from "#contracts";
import { type Entity, hostIdOf } from "#timeline";
import { entitiesNamedBy } from "../event-ref.ts";
import type { Invariant } from "../invariants/invariant.ts";
import { actRule } from "../invariants/rules.ts";
import type { Instead } from "../whatif/divergence.ts";
import { PRESENT_DECIDERS } from "./deciders.ts";
import { type Redecided, redecide } from "./redecide.ts";

/**
 * Deciders are pure: what was decided once, these deciders decide again from what was recorded. What breaks it is a decider
 * that was changed, a log that was tampered with, or an input that nobody wrote down.
 */
export const decisionsReproducible: Invariant = actRule<Redecided>({
  name: "decisions-reproducible",
  says: "every recorded decision is made again from what was recorded of it",
  needsWhole: true,
  before: (world, event) => redecide(event, world, PRESENT_DECIDERS),
  broken: (outcome, { event }) =>
    outcome.kind === "differs"
      ? { entity: subjectOf(event), message: `${event.type} was decided: now ${inWords(outcome.instead)}` }
      : undefined,
});

function subjectOf(event: RecordedEvent): Entity {
  return entitiesNamedBy(event)[0] ?? { kind: "host", id: hostIdOf(event) ?? "control" };
}

/** "it would be refused: …" */
export function inWords(instead: Instead): string {
  switch (instead.kind) {
    case "event":
      return `it would be ${instead.event.type}`;
    case "refused":
      return `it would be refused: ${instead.refusal.message}`;
    case "unchanged":
      return "nothing would be done";
    case "other-host":
      return `host ${instead.hostId} would come first`;
    case "threw":
      return `the decider fails: ${instead.message}`;
  }
}
