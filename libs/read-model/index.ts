export type { Database, Generations } from "./generations.ts";
export { appsInMemory, eventsInMemory, machinesInMemory } from "./in-memory.ts";
export * from "./investigation/index.ts";
export { listApps, type StoredApp } from "./list-apps.ts";
export { type EventFilter, listEvents } from "./list-events.ts";
export { listMachines, type MachineFilter, type PageMark, type StoredMachine } from "./list-machines.ts";
export { PgliteGenerations } from "./pglite-generations.ts";
export { PostgresGenerations } from "./postgres-generations.ts";
export {
  type FillStatus,
  type Read,
  ReadModel,
  type ReadModelSettings,
  type ReadModelStatus,
} from "./read-model.ts";
