export type { Diff, DiffEnd, DiffScope, EntityDiff, ToldChange } from "./diff-entity.ts";
export { type EventRef, entitiesNamedBy, eventRef } from "./event-ref.ts";
export type {
  Cause,
  CauseKind,
  Explanation,
  FindTrace,
  Waiting,
  WhyQuestion,
} from "./why/explanation.ts";
