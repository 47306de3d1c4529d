export type { Effect, Effects, StepContext } from "./effect.ts";
export { type JournalEntry, OperationJournal } from "./journal.ts";
export { OperationRunner, type Waiting } from "./runner.ts";
