import { INVESTIGATION_TABLES, type InvestigationTable } from "./tables.ts";

/** The tables that a question may be about: every one whose name stands in it anywhere. Only these have to be filled. */
export function namedTables(question: string): InvestigationTable[] {
  const words = new Set(question.toLowerCase().match(/[a-z_][a-z0-9_$]*/g));
  return (Object.keys(INVESTIGATION_TABLES) as InvestigationTable[]).filter((name) => words.has(name));
}
