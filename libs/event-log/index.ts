export {
  type Aggregate,
  type Appended,
  type ControlFold,
  ControlLog,
  type ControlLogSettings,
  ControlUnavailableError,
} from "./control-log.ts";
export { FleetReconciler, type FleetReconcilerSettings, type RegisteredHost } from "./fleet-reconciler.ts";
export type { Fold } from "./fold.ts";
export type { AskOwner } from "./gap-repair.ts";
export type { FeedLoss } from "./hub-feed.ts";
export { controlLogId, ensureHubStreams, type HubStreamOptions } from "./hub-streams.ts";
export { fromLive, liveMessage } from "./live-message.ts";
export { LogFold, type LogFoldListener, type SavedLogFold, type StaleLog } from "./log-fold.ts";
export { Projection, type ProjectionSettings, type Staleness } from "./projection.ts";
export { Quarantine, type QuarantinedEvent } from "./quarantine.ts";
export { type ReadOptions, readStream } from "./read-stream.ts";
export type { CommandMeta, Recorded } from "./recorded.ts";
export { type ArrivedMessage, storedMessage } from "./stored-message.ts";
export { CONTROL, FLEET, hostStream, parseHostStream } from "./stream-names.ts";
export { type HeldEvent, heldEventId, heldFrom, lastHeld } from "./hub-holdings.ts";
