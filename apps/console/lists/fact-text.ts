import type { ReplayFact } from "#contracts";
import { clockText } from "../history/moment.ts";

/** A fact for people: times as times. */
export function factText(path: string, fact: ReplayFact): string {
  return /_at_ms$|AtMs$/.test(path) && typeof fact === "number" ? clockText(fact) : String(fact);
}
