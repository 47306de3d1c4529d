import type { AnyEvent, RecordedEvent } from "#contracts";
import type { Clock, HybridClock, Ids } from "#kernel";
import type { Checkpoints } from "./checkpoints.ts";
import type { Domain } from "./domain.ts";
import type { HostLog } from "./host-log.ts";
import type { LedgerTrouble } from "./ledger-trouble.ts";
import type { FencedError } from "./log-errors.ts";
import type { FoldSource, LogCopies } from "./open-fold.ts";

export interface LedgerSettings<C, S, E extends AnyEvent> {
  readonly log: HostLog;
  readonly domain: Domain<C, S, E>;
  readonly checkpoints: Checkpoints;
  readonly clock: Clock;
  /** The one of the process: events are later than whatever it has heard of. */
  readonly hybridClock: HybridClock;
  readonly ids: Ids;
  /** What the hub holds of this host's logs, for when the disk has lost some of it. */
  readonly copies?: LogCopies;
  /** Acknowledged events between two checkpoints. */
  readonly checkpointEvery?: number;
  /** Told of each event with the state right after it, before it is acknowledged: that may never happen. */
  readonly onDecided?: (event: RecordedEvent<E>, state: S) => void;
  readonly onTrouble?: (trouble: LedgerTrouble) => void;
  /** Another agent writes this host's log, or the log is not what it was. This ledger takes nothing more. */
  readonly onFenced?: (error: FencedError) => void;
}

/** What the ledger folds from. */
export function sourceOf<C, S, E extends AnyEvent>(settings: LedgerSettings<C, S, E>): FoldSource<S> {
  const { domain, checkpoints, copies, onTrouble } = settings;
  return {
    fold: domain.fold,
    checkpoints,
    ...(copies === undefined ? {} : { copies }),
    onTrouble: onTrouble ?? (() => undefined),
  };
}
