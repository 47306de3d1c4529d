import { type AnyEvent, type NewEvent, type RecordedEvent, VOCABULARY } from "#contracts";
import { type Decision, type Position, type Refusal, RefusedError, refused } from "#kernel";
import type { AggregateFold } from "./aggregate-fold.ts";
import { CheckpointWriter, type Snapshot } from "./checkpoint-writer.ts";
import type { Domain, Issued } from "./domain.ts";
import type { HostLog } from "./host-log.ts";
import { type LedgerSettings, sourceOf } from "./ledger-settings.ts";
import type { LedgerTrouble } from "./ledger-trouble.ts";
import { FencedError, LogUnavailableError } from "./log-errors.ts";
import { type FoldSource, foldPresent, openFold } from "./open-fold.ts";
import { type QuarantinedEvent, quarantineRefusal } from "./quarantine.ts";
import type { CommandMeta, Recorded } from "./recorded.ts";
import { RefusalRecorder, type Refused } from "./refusal-recorder.ts";

type Listener<E extends AnyEvent> = (event: RecordedEvent<E>) => void;

const DEFAULT_CHECKPOINT_EVERY = 5_000;
const REFOLD_PAUSE_MS = 200;
/** What is under way may take so long to be acknowledged when the ledger closes. */
const CLOSE_MS = 3_000;

/**
 * The single writer's loop (I1, I2). A command is decided on the state that includes everything decided before it,
 * acknowledged or not; nobody outside is told anything before all that it rests on is acknowledged.
 */
export class Ledger<C, S, E extends AnyEvent> {
  readonly #settings: LedgerSettings<C, S, E>;
  readonly #source: FoldSource<S>;
  readonly #log: HostLog;
  readonly #listeners = new Set<Listener<E>>();
  readonly #refusals: RefusalRecorder<C>;
  readonly #writer: CheckpointWriter;
  #fold: AggregateFold<S>;
  /** Settles as the last append does. */
  #acked: Promise<unknown> = Promise.resolve();
  #refolding: Promise<void> | undefined;
  #closed: FencedError | LogUnavailableError | undefined;

  /** Folds the log, or begins it, and makes the opening decisions. Throws where the leaf does not answer. */
  static async open<C, S, E extends AnyEvent>(settings: LedgerSettings<C, S, E>): Promise<Ledger<C, S, E>> {
    const source = sourceOf(settings);
    const { log, fold, previous, clock } = await openFold(settings.log, source);
    if (clock !== undefined) settings.hybridClock.resume(clock);
    const ledger = new Ledger(settings, source, log, fold);
    const isNew = log.lastSequence === 0;
    await ledger.#open(
      isNew ? { logId: log.logId, ...(previous === undefined ? {} : { previous }) } : undefined,
    );
    if (isNew) await ledger.checkpoint();
    return ledger;
  }

  private constructor(
    settings: LedgerSettings<C, S, E>,
    source: FoldSource<S>,
    log: HostLog,
    fold: AggregateFold<S>,
  ) {
    this.#settings = settings;
    this.#source = source;
    this.#log = log;
    this.#fold = fold;
    this.#refusals = new RefusalRecorder(settings.clock, (refused, count) =>
      this.#recordRefusal(refused, count),
    );
    this.#writer = new CheckpointWriter(
      settings.checkpoints,
      settings.checkpointEvery ?? DEFAULT_CHECKPOINT_EVERY,
      () => this.#snapshot(),
      (error) => this.#trouble({ kind: "checkpoint_failed", error }),
    );
  }

  /** The log that it writes: its successor, where the one given was not to be gone on with. */
  get log(): HostLog {
    return this.#log;
  }

  /** Everything decided so far, acknowledged or not. Changed in place. */
  get state(): S {
    return this.#fold.state;
  }

  /** Of the last event that the state includes. */
  get endSequence(): number {
    return this.#fold.end.sequence;
  }

  /** The first bad event of each aggregate that takes no commands. */
  get quarantined(): readonly QuarantinedEvent[] {
    return this.#fold.quarantined;
  }

  /** Resolves to the present position once all of it is acknowledged. Rejects where some of it will not be. */
  async settled(): Promise<Position> {
    const position = this.#position();
    await this.#acked;
    return position;
  }

  /** Calls `listener` for each event once it is acknowledged, in order. Returns the way to stop that. */
  onEvent(listener: Listener<E>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Decides a command and writes down what was decided. Throws `FencedError`, `LogFullError` or `LogUnavailableError`
   * when that could not be written; only after the first two, and a refusal to take it, is it certain that it was not.
   */
  async execute(command: C, meta: CommandMeta): Promise<Recorded<E>> {
    while (this.#isStale()) await this.#refold();
    if (this.#closed !== undefined) throw this.#closed;
    this.#mergeClock(meta);
    const decision = this.#decide(command);
    switch (decision.kind) {
      case "accepted":
        return this.#append(command, decision.event, meta);
      case "unchanged":
        return { kind: "unchanged", position: await this.settled() };
      case "refused": {
        const settled = this.settled();
        // After that: the answer does not wait for its own record.
        this.#noteRefusal(command, decision.refusal);
        return { kind: "refused", refusal: decision.refusal, position: await settled };
      }
    }
  }

  /** Writes a checkpoint that includes everything decided until now. */
  checkpoint(): Promise<void> {
    return this.#writer.save();
  }

  /** Takes nothing more, waits a moment for what is under way, writes a checkpoint. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#closed = new LogUnavailableError("the agent is stopping");
    this.#refusals.stop();
    const patience = new AbortController();
    const enough = this.#settings.clock.sleep(CLOSE_MS, patience.signal);
    await Promise.race([this.#acked, enough]).catch(() => undefined);
    patience.abort();
    enough.catch(() => undefined);
    this.#log.close();
    await this.checkpoint().catch((error: unknown) => this.#trouble({ kind: "checkpoint_failed", error }));
  }

  async #open(begun: Parameters<Domain<C, S, E>["openLog"]>[0] | undefined): Promise<void> {
    const { domain } = this.#settings;
    const issued = () => this.#issue();
    const commands = begun === undefined ? [] : [domain.openLog(begun, issued())];
    // Not through `execute`: a log with a bad event has to be opened too.
    for (const command of [...commands, ...domain.opening(issued)]) {
      const decision = domain.decide(command, this.state);
      if (decision.kind === "refused") throw new RefusedError(decision.refusal);
      if (decision.kind === "accepted") await this.#append(command, decision.event, this.#ownMeta());
    }
  }

  #decide(command: C): Decision<E> {
    const { domain } = this.#settings;
    for (const subject of domain.aggregatesOf(command)) {
      const bad = this.#fold.quarantineOf(subject);
      if (bad !== undefined) return refused(quarantineRefusal(bad));
    }
    return domain.decide(command, this.state);
  }

  async #append(command: C, event: E, meta: CommandMeta): Promise<Recorded<E>> {
    const { appended, acked } = this.#take(this.#newEvent(command, event, meta));
    await acked;
    return { kind: "accepted", event: appended, position: { [this.#log.logId]: appended.sequence } };
  }

  /** Nothing may be awaited between the decision and the end of this: the next one is decided on what it leaves. */
  #take(event: NewEvent<E>): { readonly appended: RecordedEvent<E>; readonly acked: Promise<unknown> } {
    const sequence = this.#log.nextSequence;
    const acked = this.#log.take(event);
    const appended: RecordedEvent<E> = Object.assign({}, event, { log: this.#log.logId, sequence });
    const bad = this.#fold.apply({ kind: "event", event: appended as RecordedEvent });
    if (bad !== undefined) this.#trouble({ kind: "quarantined", event: bad });
    this.#settings.onDecided?.(appended, this.#fold.state);
    const told = acked.then(() => this.#onAcked(appended));
    told.catch((error: unknown) => this.#onFailed(error));
    this.#acked = told;
    return { appended, acked: told };
  }

  #newEvent(command: C, event: E, meta: CommandMeta): NewEvent<E> {
    const { domain, ids, hybridClock } = this.#settings;
    const { commandId, causationId, correlationId, actor } = meta;
    return {
      ...event,
      subject: domain.subjectOf(event),
      header: {
        id: ids.ulid(),
        version: VOCABULARY.currentVersionOf(event.type),
        clock: hybridClock.tick(),
        causationId,
        correlationId,
        actor,
      },
      decision: { ...domain.describe(command, event), commandId },
    };
  }

  #onAcked(event: RecordedEvent<E>): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#trouble({ kind: "listener_failed", error });
      }
    }
    this.#writer.count();
  }

  #onFailed(error: unknown): void {
    if (!(error instanceof FencedError) || this.#closed !== undefined) return;
    this.#closed = error;
    this.#refusals.stop();
    this.#settings.onFenced?.(error);
  }

  /** Whether the state includes what was not written after all. */
  #isStale(): boolean {
    return this.#closed === undefined && this.#log.nextSequence !== this.#fold.end.sequence + 1;
  }

  /** Folds again what really stands in the log, before anything more is decided. */
  #refold(): Promise<void> {
    this.#refolding ??= this.#foldAgain().finally(() => {
      this.#refolding = undefined;
    });
    return this.#refolding;
  }

  async #foldAgain(): Promise<void> {
    try {
      await this.#log.up();
      this.#fold = await foldPresent(this.#log, this.#source);
      this.#acked = Promise.resolve();
    } catch (error) {
      this.#trouble({ kind: "fold_failed", error });
      await this.#settings.clock.sleep(REFOLD_PAUSE_MS);
    }
  }

  #snapshot(): Snapshot | undefined {
    // A state that could not be read to its end is not kept: the next event ends it well.
    if (this.#fold.end.eventId === "" || this.#isStale()) return undefined;
    return { checkpoint: this.#fold.toCheckpoint(), acked: this.#acked };
  }

  #noteRefusal(command: C, reason: Refusal): void {
    const { domain } = this.#settings;
    const key = `${domain.describe(command).command} ${domain.aggregatesOf(command)} ${reason.code}`;
    this.#refusals.note(key, { command, reason });
  }

  #recordRefusal({ command, reason }: Refused<C>, count: number): void {
    const { domain } = this.#settings;
    const record = domain.recordRefusal(command, reason, count, this.#issue());
    if (record === undefined || this.#closed !== undefined || this.#isStale()) return;
    const decision = this.#decide(record);
    if (decision.kind !== "accepted") return;
    this.#append(record, decision.event, this.#ownMeta()).catch((error: unknown) =>
      this.#trouble({ kind: "refusal_not_recorded", error }),
    );
  }

  #mergeClock(meta: CommandMeta): void {
    if (meta.clock === undefined || this.#settings.hybridClock.merge(meta.clock)) return;
    this.#trouble({ kind: "clock_ahead", clock: meta.clock });
  }

  #issue(): Issued {
    return { commandId: this.#settings.ids.ulid(), atMs: this.#settings.clock.nowMs() };
  }

  #ownMeta(): CommandMeta {
    const commandId = this.#settings.ids.ulid();
    const actor = `host:${this.#log.hostId}`;
    return { commandId, correlationId: commandId, causationId: commandId, actor };
  }

  #position(): Position {
    return { [this.#log.logId]: this.#fold.end.sequence };
  }

  #trouble(trouble: LedgerTrouble): void {
    this.#source.onTrouble(trouble);
  }
}
