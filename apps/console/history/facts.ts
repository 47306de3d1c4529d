import type { ReplayEntity, ReplayFact } from "#contracts";

/** What is known of one entity, by path. Changed in place as steps are played. */
export type LiveFacts = Record<string, ReplayFact>;

/** A fact as a number; 0 where it is none. */
export function numberOf(facts: LiveFacts, path: string): number {
  const fact = facts[path];
  return typeof fact === "number" ? fact : 0;
}

/** A fact as text; empty where it is not known. */
export function textOf(facts: LiveFacts, path: string): string {
  const fact = facts[path];
  return fact === undefined ? "" : String(fact);
}

/** The two halves of "machine/148e…". */
export function splitEntity(entity: ReplayEntity): { readonly kind: string; readonly id: string } {
  const slash = entity.indexOf("/");
  return { kind: entity.slice(0, slash), id: entity.slice(slash + 1) };
}

/** "machine/148e…" of what debugger answers name in two fields. */
export function entityOf({ kind, id }: { readonly kind: string; readonly id: string }): ReplayEntity {
  return `${kind}/${id}`;
}

/** States of a machine that nothing leads out of. */
export const GONE: ReadonlySet<string> = new Set(["destroyed", "replaced", "migrated"]);
