import { type DecodedEvent, decodeEvent, type StoredMessage } from "#contracts";
import type { HybridTime } from "#kernel";
import { AggregateFold } from "./aggregate-fold.ts";
import type { Checkpoint, Checkpoints } from "./checkpoints.ts";
import type { PreviousLog } from "./domain.ts";
import type { Fold } from "./fold.ts";
import type { HostLog } from "./host-log.ts";
import type { RetiredLog } from "./host-streams.ts";
import type { LedgerTrouble } from "./ledger-trouble.ts";
import type { LogReader } from "./log-reader.ts";
import type { QuarantinedEvent } from "./quarantine.ts";

/** What somebody else, the hub, holds of a log from a sequence on. May throw: then there is no copy at present. */
export type LogCopies = (logId: string, fromSequence: number) => AsyncIterable<StoredMessage>;

/** What a fold is made from. */
export interface FoldSource<S> {
  readonly fold: Fold<S>;
  readonly checkpoints: Checkpoints;
  readonly copies?: LogCopies;
  readonly onTrouble: (trouble: LedgerTrouble) => void;
}

export interface OpenedFold<S> {
  /** The log that was given, or its successor. */
  readonly log: HostLog;
  readonly fold: AggregateFold<S>;
  /** What the first event of an empty log is to tell. */
  readonly previous?: PreviousLog;
  /** Clock of the last event that is known, of this log or of the one before it. */
  readonly clock?: HybridTime;
}

/**
 * Folds a log from the newest checkpoint that belongs to it. A log that does not hold what its checkpoint includes has
 * lost its tail or was restored from elsewhere: it is retired, and its successor begins with the state that is known.
 */
export async function openFold<S>(log: HostLog, source: FoldSource<S>): Promise<OpenedFold<S>> {
  const checkpoint = await source.checkpoints.load(source.fold.version);
  let present = log;
  if (log.found.kind === "continues") {
    const own = checkpoint?.log === log.logId ? checkpoint : undefined;
    if (own === undefined || (await log.reader.holds(own))) {
      const fold = await foldOwn(log, source, own);
      return { log, fold, ...clockOf(fold) };
    }
    present = await log.reopen(log.lastSequence < own.sequence ? "behind" : "diverged");
  }
  const fold = new AggregateFold(source.fold, present.logId);
  if (present.found.kind !== "successor") return { log: present, fold };
  const retired = present.found.previous;
  const before = await foldPrevious(present, retired, source, checkpoint);
  const { sequence } = before.end;
  source.onTrouble({ kind: "log_replaced", logId: retired.logId, sequence, reason: retired.reason });
  const { state } = before.toCheckpoint();
  const previous = { logId: retired.logId, sequence, reason: retired.reason, state };
  return { log: present, fold, previous, ...clockOf(before) };
}

function clockOf<S>(fold: AggregateFold<S>): { readonly clock?: HybridTime } {
  return fold.clock === undefined ? {} : { clock: fold.clock };
}

/** Folds the present log up to its last acknowledged event. */
export async function foldPresent<S>(log: HostLog, source: FoldSource<S>): Promise<AggregateFold<S>> {
  const checkpoint = await source.checkpoints.load(source.fold.version);
  return foldOwn(log, source, checkpoint?.log === log.logId ? checkpoint : undefined);
}

async function foldOwn<S>(
  log: HostLog,
  source: FoldSource<S>,
  checkpoint: Checkpoint | undefined,
): Promise<AggregateFold<S>> {
  // What a checkpoint lacks may be readable by now: then it is folded after all.
  const from = (await canHeal(log, source, checkpoint)) ? undefined : checkpoint;
  const fold = new AggregateFold(source.fold, log.logId, from);
  for (const event of fold.quarantined) source.onTrouble({ kind: "quarantined", event });
  await foldUpTo(fold, log.reader, log.logId, log.lastSequence, source);
  return fold;
}

async function foldPrevious<S>(
  log: HostLog,
  retired: RetiredLog,
  source: FoldSource<S>,
  checkpoint: Checkpoint | undefined,
): Promise<AggregateFold<S>> {
  const { logId, reason, stream } = retired;
  const own = checkpoint?.log === logId ? checkpoint : undefined;
  const fold = new AggregateFold(source.fold, logId, own);
  const reader = stream === undefined ? undefined : log.readerOf(stream);
  if (reader !== undefined && (own === undefined || (await reader.holds(own)))) {
    await foldUpTo(fold, reader, logId, await reader.lastSequence(), source);
  }
  // A log that went its own way is not mixed with what the hub has of it: what was decided here is what happened here.
  if (reason !== "diverged") await foldCopies(fold, logId, source);
  return fold;
}

/** Folds a log's stream; what is bad in it is taken from a copy where there is one, else set aside. */
async function foldUpTo<S>(
  fold: AggregateFold<S>,
  reader: LogReader,
  logId: string,
  last: number,
  source: FoldSource<S>,
): Promise<void> {
  while (fold.end.sequence < last) {
    let bad: DecodedEvent | undefined;
    await reader.replay(fold.end.sequence + 1, last, (decoded) => {
      if (decoded?.kind === "event") report(fold.apply(decoded), source);
      else bad = decoded;
      return decoded?.kind === "event";
    });
    const sequence = fold.end.sequence + 1;
    if (sequence > last) return;
    const copy = await copyOf(logId, sequence, source);
    if (copy !== undefined) {
      source.onTrouble({ kind: "repaired", log: logId, sequence });
      report(fold.apply(copy), source);
    } else {
      report(bad === undefined ? fold.skip("the stream has lost it") : fold.apply(bad), source);
    }
  }
}

async function foldCopies<S>(fold: AggregateFold<S>, logId: string, source: FoldSource<S>): Promise<void> {
  if (source.copies === undefined) return;
  try {
    for await (const message of source.copies(logId, fold.end.sequence + 1)) {
      const decoded = decodeEvent(message);
      if (decoded.kind !== "event" || decoded.event.sequence !== fold.end.sequence + 1) return;
      report(fold.apply(decoded), source);
    }
  } catch (error) {
    // The host goes on with what it knows (I11).
    source.onTrouble({ kind: "no_copies", log: logId, error });
  }
}

/** A good copy of one event. */
async function copyOf<S>(
  logId: string,
  sequence: number,
  source: FoldSource<S>,
): Promise<DecodedEvent | undefined> {
  try {
    for await (const message of source.copies?.(logId, sequence) ?? []) {
      const decoded = decodeEvent(message);
      return decoded.kind === "event" && decoded.event.sequence === sequence ? decoded : undefined;
    }
  } catch (error) {
    source.onTrouble({ kind: "no_copies", log: logId, error });
  }
  return undefined;
}

/** Whether an event that a checkpoint lacks can be read now: an older code did not know it, or there is a copy. */
async function canHeal<S>(
  log: HostLog,
  source: FoldSource<S>,
  checkpoint: Checkpoint | undefined,
): Promise<boolean> {
  for (const { sequence, reason } of checkpoint?.quarantined ?? []) {
    if (reason === "evolve_failed") continue;
    if ((await log.reader.eventAt(sequence))?.kind === "event") return true;
    if ((await copyOf(log.logId, sequence, source)) !== undefined) return true;
  }
  return false;
}

function report<S>(event: QuarantinedEvent | undefined, source: FoldSource<S>): void {
  if (event !== undefined) source.onTrouble({ kind: "quarantined", event });
}
