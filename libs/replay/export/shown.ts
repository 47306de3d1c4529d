import type { ArchiveShows } from "#contracts";
import { canonicalJson } from "#kernel";
import { type Entity, type Facts, factsOf, formatEntity } from "#timeline";
import { invariantOf } from "../invariant-of.ts";
import type { Violation } from "../invariants/watch.ts";
import type { Deciders } from "../redecide/deciders.ts";
import { decisionsReproducible, inWords } from "../redecide/reproducible.ts";
import { type Lived, relive, type Stretched } from "./relive.ts";

/** What came of a slice when it was lived through again. */
export interface Showing {
  /** What is not as it should be, or not as it was, in words. Empty: all is well. */
  readonly problems: readonly string[];
  /** The first violation, where the slice is about one. */
  readonly violation?: Violation;
}

const WELL: Showing = { problems: [] };

/**
 * Lives through a slice and looks at what it was made for: whether the invariant is broken, and whether events and entities
 * come to what they came to. `deciders`: see `relive`.
 */
export function look(slice: Stretched, shows: ArchiveShows, deciders: Deciders | undefined): Showing {
  switch (shows.kind) {
    case "breaks":
      return lookForBreak(slice, shows, deciders);
    case "changes":
      return lookAtChanges(slice, shows, deciders);
    case "facts":
      return lookAtFacts(slice, shows, deciders);
  }
}

/** Whether decisions are made anew at all: where the question is whether they would be the same, nothing else may happen. */
function decidersFor(invariant: string, deciders: Deciders | undefined): Deciders | undefined {
  return invariant === decisionsReproducible.name ? undefined : deciders;
}

function lookForBreak(
  slice: Stretched,
  shows: Extract<ArchiveShows, { kind: "breaks" }>,
  deciders: Deciders | undefined,
): Showing {
  const invariant = invariantOf(shows.invariant);
  for (const { broken } of relive(slice, decidersFor(invariant.name, deciders), [invariant])) {
    const found = broken.find(({ violation }) => isShown(shows, violation));
    if (found !== undefined) {
      const { violation } = found;
      const { event, entity, message } = violation;
      const place = `${event.log}:${event.sequence}`;
      const problem = `${invariant.name}: ${formatEntity(entity)}: ${message} (${event.type}, ${place})`;
      return { problems: [problem], violation };
    }
  }
  return WELL;
}

/** The same kind of event breaks the same of the same. */
export function isShown(shows: Extract<ArchiveShows, { kind: "breaks" }>, violation: Violation): boolean {
  const { entity, event } = violation;
  return formatEntity(entity) === formatEntity(shows.entity as Entity) && event.type === shows.type;
}

function lookAtChanges(
  slice: Stretched,
  shows: Extract<ArchiveShows, { kind: "changes" }>,
  deciders: Deciders | undefined,
): Showing {
  for (const lived of relive(slice, deciders)) {
    if (lived.recorded.header.id === shows.event) return { problems: changesAgainst(shows.changes, lived) };
  }
  return { problems: [`event ${shows.event} is not in the slice`] };
}

function changesAgainst(wanted: readonly unknown[], { outcome, effect, recorded }: Lived): string[] {
  if (outcome.kind === "differs") return [`${recorded.type} was decided: now ${inWords(outcome.instead)}`];
  if (effect?.unfolded !== undefined) return [`${recorded.type} cannot be folded: ${effect.unfolded}`];
  const [was, is] = [wanted, effect?.changes ?? []].map((changes) => new Set(changes.map(canonicalJson)));
  return [
    ...[...was!].filter((one) => !is!.has(one)).map((one) => `it changed ${one}, and does not any more`),
    ...[...is!].filter((one) => !was!.has(one)).map((one) => `it did not change ${one}, and now does`),
  ];
}

function lookAtFacts(
  slice: Stretched,
  { entity, facts }: Extract<ArchiveShows, { kind: "facts" }>,
  deciders: Deciders | undefined,
): Showing {
  const now = factsAfter(slice, entity as Entity, deciders) ?? {};
  const was = facts ?? {};
  const paths = [...new Set([...Object.keys(was), ...Object.keys(now)])].sort();
  const otherwise = paths.filter((path) => was[path] !== now[path]);
  const words = (fact: unknown) => (fact === undefined ? "nothing" : JSON.stringify(fact));
  return { problems: otherwise.map((path) => `${path} was ${words(was[path])}, and is ${words(now[path])}`) };
}

/** An entity's facts when a slice has been lived through. Undefined: there is no such entity then. */
export function factsAfter(
  slice: Stretched,
  entity: Entity,
  deciders: Deciders | undefined,
): Facts | undefined {
  let facts: Facts | undefined;
  let world: Lived["world"] | undefined;
  for (const lived of relive(slice, deciders)) world = lived.world;
  if (world !== undefined) facts = factsOf(world, entity);
  return facts;
}
