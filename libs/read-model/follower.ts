import type { RecordedEvent } from "#contracts";
import {
  type AskOwner,
  type Fold,
  PositionWaiters,
  Projection,
  type ProjectionSettings,
  type QuarantinedEvent,
  type SavedProjection,
} from "#event-log";
import type { Clock, Position } from "#kernel";
import type { Generation } from "./generation.ts";
import { Pending } from "./pending.ts";
import { within } from "./within.ts";

/** A write that takes longer than this is not waited for: the database is as good as gone. */
const WRITE_MS = 20_000;

/** The rows are the state. */
export const NO_STATE: Fold<null> = {
  version: 0,
  empty: () => null,
  evolve: () => null,
  toJson: () => null,
  fromJson: () => null,
};

export interface FollowerSettings {
  readonly nc: ProjectionSettings<null>["nc"];
  readonly clock: Clock;
  readonly askOwner: AskOwner;
  readonly onFault: (error: unknown) => void;
  readonly onQuarantine: (event: QuarantinedEvent) => void;
}

/** The logs that a generation was filled from are gone, and others are there in their place. */
export class OtherHistoryError extends Error {}

/**
 * Keeps one generation up to date: a projection of its own, which goes on from where the rows stand and waits where the
 * database is slow. Whatever goes wrong ends it; the next one begins again from what is stored.
 */
export class Follower {
  readonly generation: Generation;
  readonly #settings: FollowerSettings;
  readonly #pending = new Pending();
  readonly #waiters: PositionWaiters;
  readonly #caughtUp = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Of each log, what the rows include. */
  #written = new Map<string, { readonly applied: number; readonly succeeded: boolean }>();
  /** Where the logs ended when following began. */
  #target: Position | undefined;
  #isWriting = false;
  #currentAtMs: number | undefined;

  constructor(generation: Generation, settings: FollowerSettings) {
    this.generation = generation;
    this.#settings = settings;
    this.#waiters = new PositionWaiters(settings.clock, (position) => this.includes(position));
  }

  /** Resolves once the rows include all that stood at the hub when following began. */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise;
  }

  /** How far the rows go. */
  position(): Position {
    return Object.fromEntries([...this.#written].map(([log, { applied }]) => [log, applied]));
  }

  /** Whether the rows include a position. Of a log that was succeeded nothing more will come. */
  includes(position: Position): boolean {
    return Object.entries(position).every(([log, sequence]) => {
      const written = this.#written.get(log);
      return written !== undefined && (written.succeeded || written.applied >= sequence);
    });
  }

  /** True as soon as the rows include a position; false after `deadlineMs`. */
  waitFor(position: Position, deadlineMs: number): Promise<boolean> {
    return this.#waiters.wait(position, deadlineMs);
  }

  /** When the rows last included all that was known, in epoch milliseconds. */
  get currentAtMs(): number | undefined {
    return this.#isCurrent() ? this.#settings.clock.nowMs() : this.#currentAtMs;
  }

  /** Follows until it is stopped; `onEnd` is told what made that impossible. */
  start(onEnd: (error: unknown) => void): void {
    this.#running = this.#run(this.#stopping.signal).catch((error) => {
      if (!this.#stopping.signal.aborted) onEnd(error);
    });
  }

  /** Stops, and closes the generation: also where the database says nothing any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.generation.close();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const from = await this.generation.reached();
    this.#note(from);
    const { nc, clock, askOwner, onFault } = this.#settings;
    const room = () => this.#pending.room();
    const start = { nc, clock, askOwner, onFault, fold: NO_STATE, room };
    const projection = await Projection.start(from === undefined ? start : { ...start, from });
    projection.onEvent((event: RecordedEvent) => this.#pending.addEvent(event));
    projection.onQuarantine((event) => this.#pending.addQuarantined(event));
    void projection.caughtUp.then(() => {
      this.#target = projection.position();
      this.#look();
    });
    try {
      while (!signal.aborted) {
        await this.#pending.arrival(signal);
        if (!signal.aborted) await this.#write(projection);
      }
    } finally {
      // What still waits has no taker any more.
      this.#pending.take();
      await projection.stop();
    }
  }

  async #write(projection: Projection<null>): Promise<void> {
    const { clock, onQuarantine } = this.#settings;
    const reached = projection.saved();
    // Between two histories: what belongs to which is known in a moment.
    if (reached === undefined) return clock.sleep(BETWEEN_MS);
    const before = this.generation.record.cursors?.controlLog;
    if (before !== undefined && before !== reached.cursors.controlLog) {
      throw new OtherHistoryError("CONTROL is another log than the read model was made from");
    }
    const batch = { ...this.#pending.take(), reached };
    this.#isWriting = true;
    const quarantined = await within(clock, WRITE_MS, this.generation.write(batch));
    this.#isWriting = false;
    for (const event of quarantined) onQuarantine(event);
    this.#currentAtMs = clock.nowMs();
    this.#note(reached);
  }

  #isCurrent(): boolean {
    return this.#target !== undefined && this.#pending.isEmpty && !this.#isWriting;
  }

  #note(reached: SavedProjection | undefined): void {
    this.#written = new Map(reached?.fold.logs.map(({ log, ...progress }) => [log, progress]));
    this.#waiters.look();
    this.#look();
  }

  #look(): void {
    if (this.#target !== undefined && this.includes(this.#target)) this.#caughtUp.resolve();
  }
}

const BETWEEN_MS = 50;
