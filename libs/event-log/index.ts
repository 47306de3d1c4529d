export { type AggregateFold, WHOLE_LOG } from "./aggregate-fold.ts";
export { type Checkpoint, Checkpoints } from "./checkpoints.ts";
export {
  type Aggregate,
  type Appended,
  type ControlFold,
  ControlLog,
  type ControlLogSettings,
  ControlUnavailableError,
} from "./control-log.ts";
export type { Domain, Issued, PreviousLog } from "./domain.ts";
export { FleetReconciler, type FleetReconcilerSettings, type RegisteredHost } from "./fleet-reconciler.ts";
export type { Fold } from "./fold.ts";
export type { AskOwner } from "./gap-repair.ts";
export {
  type HistoryOptions,
  hostsWith,
  hostsWithHistory,
  readControl,
  readHostEvents,
  readHosts,
  readLog,
  readMachine,
  readVolume,
} from "./history.ts";
export { HostLog, type HostLogSettings, type LogStretch } from "./host-log.ts";
export { HostPulse } from "./host-pulse.ts";
export { HostStates } from "./host-states.ts";
export type { FoundLog, RetiredLog } from "./host-streams.ts";
export type { FeedCursors, FeedLoss } from "./hub-feed.ts";
export { followHub, type HubFollower, type HubPlace } from "./hub-follow.ts";
export { type HeldEvent, heldEventId, heldFrom, lastHeld } from "./hub-holdings.ts";
export {
  type ArrivedEvent,
  type ControlEntry,
  type HubEnds,
  hubEnds,
  readArrivals,
  readControlRange,
} from "./hub-range.ts";
export { controlLogId, ensureHubStreams, type HubStreamOptions } from "./hub-streams.ts";
export { Ledger } from "./ledger.ts";
export type { LedgerSettings } from "./ledger-settings.ts";
export type { LedgerTrouble } from "./ledger-trouble.ts";
export { fromLive, type HostState, type LiveMessage, liveEnd, liveMessage } from "./live-message.ts";
export { compareWithHub, type HeldLog, type LogVerdict } from "./log-comparison.ts";
export { FencedError, LogFullError, LogUnavailableError } from "./log-errors.ts";
export { LogFold, type LogFoldListener, type SavedLogFold, type StaleLog } from "./log-fold.ts";
export { type LogRange, logRange, type RangeGround } from "./log-range.ts";
export { LogReader, type PlacedMessage } from "./log-reader.ts";
export type { LogCopies } from "./open-fold.ts";
export { PositionWaiters } from "./position-waiters.ts";
export { Projection, type ProjectionSettings, type SavedProjection, type Staleness } from "./projection.ts";
export { Quarantine, type QuarantinedEvent } from "./quarantine.ts";
export type { LogEnd } from "./read-back.ts";
export { type ReadOptions, readStream } from "./read-stream.ts";
export type { CommandMeta, Recorded } from "./recorded.ts";
export type { TakeEvent } from "./replay.ts";
export { StalledSources, type StalledSourcesSettings } from "./stalled-sources.ts";
export { type ArrivedMessage, storedMessage } from "./stored-message.ts";
export { CONTROL, FLEET, hostStream, parseHostStream, TRACES } from "./stream-names.ts";
export { readTraces } from "./traces.ts";
