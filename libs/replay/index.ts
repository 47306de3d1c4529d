export { ArchiveHistory } from "./archive/archive-history.ts";
export { baseOf, type StateBefore, worldFrom } from "./archive/base-parts.ts";
export type { Archive, ArchiveSource, UnreadableLine } from "./archive/read-archive.ts";
export { type ArchiveSettings, archiveText, writeArchive } from "./archive/write-archive.ts";
export { type Bisection, type BisectScope, bisect, type FirstBreak } from "./bisect.ts";
export { type BlamedFact, blame } from "./blame.ts";
export { diff } from "./diff.ts";
export type { Diff, DiffEnd, DiffScope, EntityDiff, ToldChange } from "./diff-entity.ts";
export { type EventRef, entitiesNamedBy, eventRef } from "./event-ref.ts";
export { exportSlice } from "./export/export-slice.ts";
export { openSlice, Slice } from "./export/open-slice.ts";
export type { ExportedSlice, SliceRequest } from "./export/slice.ts";
export { entitiesNamed, fieldNamed, oneNamed } from "./find-entity.ts";
export { invariantOf } from "./invariant-of.ts";
export type { Invariant } from "./invariants/invariant.ts";
export { INVARIANTS, ON_REQUEST } from "./invariants/library.ts";
export { type Found, type Standing, type Violation, Watch, type Watched } from "./invariants/watch.ts";
export { type Minimised, type MinimiseOptions, minimise } from "./minimise.ts";
export { type Redactable, type Redacted, Redaction, redact } from "./redact.ts";
export { type Deciders, PRESENT_DECIDERS } from "./redecide/deciders.ts";
export { type Redecided, redecide } from "./redecide/redecide.ts";
export {
  type InvariantVerdict,
  type Verdict,
  type VerdictEnd,
  type VerifyOptions,
  verify,
} from "./verify.ts";
export type { SupposedChange } from "./whatif/change.ts";
export type { DivergedFact, Divergence, Instead, RankedAs, WhatIf } from "./whatif/divergence.ts";
export { Supposition } from "./whatif/supposition.ts";
export { type WhatIfOptions, whatif } from "./whatif/whatif.ts";
export type {
  Cause,
  CauseKind,
  Explanation,
  FindTrace,
  Waiting,
  WhyQuestion,
} from "./why/explanation.ts";
export { type WhyText, why } from "./why/why.ts";
