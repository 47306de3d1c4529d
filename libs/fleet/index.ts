export { ControlCommands, type Controlled, type NameClaim, type Presence } from "./control-commands.ts";
export { type Drift, DriftWatch, HASHED_EVERY, hostHash } from "./drift-watch.ts";
export { evolveFleet } from "./evolve.ts";
export { FLEET_FOLD } from "./fleet-fold.ts";
export {
  type Departure,
  emptyFleet,
  FLEET_FOLD_VERSION,
  type FleetView,
  fleetFromJson,
  fleetHash,
  fleetToJson,
  type HostLogView,
} from "./fleet-view.ts";
export { forgetMachine, forgetVolume } from "./forget.ts";
export { Histories } from "./histories.ts";
export { HISTORY_LENGTH, type HistoryEntry, historyEntry } from "./machine-history.ts";
export { mergeByClock } from "./merge.ts";
export { type Moment, upTo } from "./moment.ts";
export {
  currentLogs,
  type FoundMachine,
  findHost,
  findMachine,
  findMachineByName,
  listHosts,
  listMachines,
  machineHistory,
} from "./queries.ts";
export {
  type FoundSnapshot,
  type FoundVolume,
  findSnapshot,
  findVolume,
  listSnapshots,
  listVolumes,
} from "./volumes.ts";
