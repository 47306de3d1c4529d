export { EventApps, eventRow } from "./event-row.ts";
export { type AnswerPage, Investigation, tablesJson, tablesText } from "./investigation.ts";
export { namedTables } from "./named-tables.ts";
export { stateRows } from "./state-rows.ts";
export type { InvestigationTable, RowOf } from "./tables.ts";
