import type { ControlEvent } from "#contracts";
import { accepted, type Decision } from "#kernel";

/** A projection was not what a host's log folds to (F07). */
export type ReportDrift = { readonly type: "ReportDrift" } & Extract<
  ControlEvent,
  { type: "DriftFound" }
>["data"];

/** What was found is a fact: there is nothing to be refused. */
export function decideReportDrift({ type: _, ...data }: ReportDrift): Decision<ControlEvent> {
  return accepted({ type: "DriftFound", data });
}
