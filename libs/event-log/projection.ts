import type { NatsConnection } from "@nats-io/transport-node";
import type { RecordedEvent } from "#contracts";
import type { Clock, Position } from "#kernel";
import { type Checkpoint, Checkpoints } from "./checkpoints.ts";
import type { Fold } from "./fold.ts";
import { type AskOwner, GapRepair } from "./gap-repair.ts";
import { type FeedCursors, type FeedLoss, HubFeed, type HubFeedListener } from "./hub-feed.ts";
import { LogFold, type SavedLogFold, type StaleLog } from "./log-fold.ts";
import { mayBeDamaged, type PlacedEvent } from "./placed-event.ts";
import { PositionWaiters } from "./position-waiters.ts";
import type { Quarantine, QuarantinedEvent } from "./quarantine.ts";

/** FLEET fills what the live feed missed within milliseconds; a gap that is older will not close by itself (F16). */
const LIVE_GRACE_MS = 500;
/** Events after which another checkpoint is due: what a start folds again at the most. */
const CHECKPOINT_EVENTS = 10_000;
/** Of `SavedProjection`. */
const FORMAT = 1;

export interface ProjectionSettings<S> {
  readonly nc: NatsConnection;
  readonly clock: Clock;
  readonly fold: Fold<S>;
  /** Asks a host for events of its log that FLEET lacks. */
  readonly askOwner?: AskOwner;
  /** Where its checkpoints are kept. Without them each start folds the whole history. */
  readonly checkpointDirectory?: string;
  /** What `saved` gave: for one who keeps it elsewhere than in checkpoints. */
  readonly from?: SavedProjection;
  /** Where a slow listener makes the feed wait: a promise says that it takes no more before that resolves (F12). */
  readonly room?: () => Promise<void> | undefined;
  /** Told of what must not stop a projection: a listener that threw, a checkpoint that could not be written. */
  readonly onFault?: (error: unknown) => void;
}

/** How old a projection's answers may be. */
export interface Staleness {
  /** Nothing arrives from the hub: the state is that of this moment, or older. */
  readonly loss?: FeedLoss;
  /** Logs of which events exist that the state lacks. */
  readonly logs: readonly StaleLog[];
}

/** A projection as plain JSON. */
export interface SavedProjection {
  readonly format: typeof FORMAT;
  readonly savedAtMs: number;
  readonly cursors: FeedCursors;
  /** Per log, FLEET's own sequence up to which that log was folded. */
  readonly fleetSequences: readonly (readonly [string, number])[];
  readonly fold: SavedLogFold;
}

/**
 * One state folded from everything that CONTROL, FLEET and the live feed bring. It can always be read: without the hub
 * it is the last one known, and `staleness` says how old.
 */
export class Projection<S> {
  readonly #settings: ProjectionSettings<S>;
  readonly #stopping = new AbortController();
  readonly #fleetSequences: Map<string, number>;
  readonly #eventListeners = new Set<(event: RecordedEvent) => void>();
  readonly #quarantineListeners = new Set<(event: QuarantinedEvent) => void>();
  readonly #waiters: PositionWaiters;
  readonly #feed: HubFeed;
  readonly #repair: GapRepair;
  readonly #checkpoints: Checkpoints | undefined;
  #fold: LogFold<S>;
  #running: Promise<void> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();
  #unsavedEvents = 0;

  /** Starts from the newest checkpoint that still fits. Resolves before anything has arrived: see `caughtUp`. */
  static async start<S>(settings: ProjectionSettings<S>): Promise<Projection<S>> {
    const { checkpointDirectory: directory, fold } = settings;
    const checkpoints = directory === undefined ? undefined : new Checkpoints(directory);
    const from = settings.from ?? (await newest(checkpoints, fold));
    const projection = new Projection(settings, checkpoints, from);
    projection.#running = projection.#run();
    return projection;
  }

  /**
   * The state that a start would begin with, and when it was saved, in epoch milliseconds: for a process that has to go
   * on by what it knew before there is a connection (F08). Undefined when no checkpoint fits.
   */
  static async lastSaved<S>(
    directory: string,
    fold: Fold<S>,
  ): Promise<{ readonly state: S; readonly savedAtMs: number } | undefined> {
    const saved = await newest(new Checkpoints(directory), fold);
    return saved && { state: fold.fromJson(saved.fold.state), savedAtMs: saved.savedAtMs };
  }

  private constructor(
    settings: ProjectionSettings<S>,
    checkpoints: Checkpoints | undefined,
    saved: SavedProjection | undefined,
  ) {
    const { nc, clock, askOwner } = settings;
    this.#settings = settings;
    this.#checkpoints = checkpoints;
    this.#fold = this.#newFold(saved?.fold);
    this.#fleetSequences = new Map(saved?.fleetSequences);
    this.#waiters = new PositionWaiters(clock, (position) => this.#fold.includes(position));
    this.#feed = new HubFeed(nc, clock, this.#feedListener(), saved?.cursors, saved?.savedAtMs);
    this.#repair = new GapRepair({
      nc,
      clock,
      askOwner,
      signal: this.#stopping.signal,
      caughtUp: this.#feed.caughtUp,
      fold: () => this.#fold,
      fleetSequences: this.#fleetSequences,
      room: () => settings.room?.(),
    });
  }

  /** Resolves once everything that stood at the hub at the start has arrived. */
  get caughtUp(): Promise<void> {
    return this.#feed.caughtUp;
  }

  /** The state; changed in place as events arrive, so not to be kept across an await. */
  get state(): S {
    return this.#fold.state;
  }

  get quarantine(): Quarantine {
    return this.#fold.quarantine;
  }

  position(): Position {
    return this.#fold.position();
  }

  staleness(): Staleness {
    const { loss } = this.#feed;
    return { ...(loss === undefined ? {} : { loss }), logs: this.#fold.staleLogs() };
  }

  /** Resolves to true as soon as the state includes `position`; to false after `deadlineMs`, or when `signal` fires. */
  waitFor(position: Position, deadlineMs: number, signal?: AbortSignal): Promise<boolean> {
    return this.#waiters.wait(position, deadlineMs, signal);
  }

  /** Calls `listener` for each event right after it was applied, each log's in order. Returns the way to stop that. */
  onEvent(listener: (event: RecordedEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  onQuarantine(listener: (event: QuarantinedEvent) => void): () => void {
    this.#quarantineListeners.add(listener);
    return () => this.#quarantineListeners.delete(listener);
  }

  /** All of it at this moment. Undefined before CONTROL was found: until then nobody knows which history it is. */
  saved(): SavedProjection | undefined {
    const { cursors } = this.#feed;
    if (cursors.controlLog === undefined) return undefined;
    return {
      format: FORMAT,
      savedAtMs: this.#settings.clock.nowMs(),
      cursors,
      fleetSequences: [...this.#fleetSequences],
      fold: this.#fold.toJson(),
    };
  }

  /** Writes a checkpoint. Does nothing without a place for it, or before CONTROL was found. */
  checkpoint(): Promise<void> {
    this.#unsavedEvents = 0;
    const taken = this.#take();
    if (taken === undefined) return this.#saving;
    // One after the other; what a failure costs is a longer start.
    this.#saving = this.#saving
      .then(() => this.#checkpoints?.save(taken))
      .catch((error) => this.#settings.onFault?.(error));
    return this.#saving;
  }

  /** Stops following, and saves. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.checkpoint();
  }

  async #run(): Promise<void> {
    // Gaps that were open when the checkpoint was taken: what waited behind them was not saved.
    for (const { log } of this.#fold.staleLogs()) this.#repair.want(log, LIVE_GRACE_MS);
    void this.#feed.caughtUp.then(() => this.#saveIfDue());
    await this.#feed.run(this.#stopping.signal);
  }

  /** Not while history is being read: there it would cost more than it saves. */
  #saveIfDue(): void {
    if (this.#unsavedEvents >= CHECKPOINT_EVENTS && this.#feed.isCaughtUp) void this.checkpoint();
  }

  #take(): Checkpoint | undefined {
    const state = this.#checkpoints === undefined ? undefined : this.saved();
    const log = state?.cursors.controlLog;
    if (state === undefined || log === undefined) return undefined;
    const { sequence, eventId } = state.cursors.control;
    return { log, sequence, eventId, foldVersion: this.#settings.fold.version, state };
  }

  #newFold(saved?: SavedLogFold): LogFold<S> {
    const { fold, clock } = this.#settings;
    const listener = {
      applied: (event: RecordedEvent) => {
        this.#waiters.look();
        this.#tell(this.#eventListeners, event);
        this.#unsavedEvents += 1;
        this.#saveIfDue();
      },
      quarantined: (event: QuarantinedEvent) => {
        this.#waiters.look();
        this.#tell(this.#quarantineListeners, event);
      },
    };
    return new LogFold(fold, clock, listener, saved);
  }

  #feedListener(): HubFeedListener {
    return {
      ownerOf: (logId) => this.#fold.ownerOf(logId),
      control: (log, sequence, decoded) => {
        // CONTROL has no second copy: a hole in the stream itself is for good.
        this.#fold.giveUpBefore(log, sequence, "CONTROL has lost it");
        this.#fold.offer(log, undefined, sequence, decoded);
      },
      fleet: (placed, fleetSequence) => this.#fromFleet(placed, fleetSequence),
      live: (placed) => this.#fromLive(placed),
      liveEnd: ({ hostId, logId }, sequence) => {
        if (this.#fold.ownerOf(logId) !== hostId || this.#fold.appliedOf(logId) >= sequence) return;
        this.#fold.notice(logId, hostId, sequence);
        this.#repair.want(logId, LIVE_GRACE_MS);
      },
      fleetRewound: () => this.#fleetSequences.clear(),
      controlReplaced: () => {
        this.#fleetSequences.clear();
        this.#fold = this.#newFold();
      },
      room: () => this.#settings.room?.(),
    };
  }

  #fromFleet({ logId, hostId, sequence, decoded }: PlacedEvent, fleetSequence: number): void {
    if (mayBeDamaged(decoded)) this.#fold.notice(logId, hostId, sequence);
    else this.#fold.offer(logId, hostId, sequence, decoded);
    // FLEET brings each log in order: what is missing now will not come by itself (F06).
    if (this.#fold.appliedOf(logId) < sequence) this.#repair.want(logId, 0);
    else this.#fleetSequences.set(logId, fleetSequence);
  }

  #fromLive({ logId, hostId, sequence, decoded }: PlacedEvent): void {
    // Whose log it is, is not for the sender to say: the registration or FLEET has to have named it before.
    if (this.#fold.ownerOf(logId) !== hostId) return;
    this.#fold.offer(logId, hostId, sequence, decoded);
    if (this.#fold.appliedOf(logId) < sequence) this.#repair.want(logId, LIVE_GRACE_MS);
  }

  #tell<E>(listeners: ReadonlySet<(event: E) => void>, event: E): void {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#settings.onFault?.(error);
      }
    }
  }
}

async function newest<S>(
  checkpoints: Checkpoints | undefined,
  fold: Fold<S>,
): Promise<SavedProjection | undefined> {
  const saved = (await checkpoints?.load(fold.version))?.state as SavedProjection | undefined;
  return saved?.format === FORMAT ? saved : undefined;
}
