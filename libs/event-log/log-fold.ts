import type { DecodedEvent, RecordedEvent } from "#contracts";
import type { Clock, Position } from "#kernel";
import type { Fold } from "./fold.ts";
import { LogProgress } from "./log-progress.ts";
import { Quarantine, type QuarantinedEvent, quarantinedAt } from "./quarantine.ts";

/** A log of which events are known to exist that the fold does not include. */
export interface StaleLog {
  readonly log: string;
  /** Absent for CONTROL. */
  readonly hostId?: string;
  readonly applied: number;
  readonly known: number;
  /** Epoch milliseconds at which that was noticed. */
  readonly sinceMs: number;
}

export interface LogFoldListener {
  applied(event: RecordedEvent): void;
  quarantined(event: QuarantinedEvent): void;
}

interface FoldedLog {
  readonly hostId: string | undefined;
  readonly progress: LogProgress<DecodedEvent>;
  /** Another log of its host began with its state: what it lacks is of no use to anybody. */
  succeeded: boolean;
  staleSinceMs?: number;
}

/** A log fold as plain JSON. */
export interface SavedLogFold {
  readonly logs: readonly {
    readonly log: string;
    readonly hostId?: string;
    readonly applied: number;
    readonly known: number;
    readonly succeeded: boolean;
  }[];
  readonly quarantined: readonly QuarantinedEvent[];
  readonly quarantineCount: number;
  readonly state: unknown;
}

/**
 * Many logs folded into one state. Each log's events are applied once and in order, however they arrive; a bad one is
 * set aside and counts as applied (I10). As long as the fold keeps the logs apart, the order among logs does not matter.
 */
export class LogFold<S> {
  readonly #fold: Fold<S>;
  readonly #clock: Clock;
  readonly #listener: LogFoldListener;
  readonly #logs = new Map<string, FoldedLog>();
  #quarantine: Quarantine;
  #state: S;

  constructor(fold: Fold<S>, clock: Clock, listener: LogFoldListener, saved?: SavedLogFold) {
    this.#fold = fold;
    this.#clock = clock;
    this.#listener = listener;
    this.#state = saved === undefined ? fold.empty() : fold.fromJson(saved.state);
    this.#quarantine = new Quarantine(saved?.quarantined, saved?.quarantineCount);
    for (const { log, hostId, applied, known, succeeded } of saved?.logs ?? []) {
      const folded = { hostId, progress: new LogProgress<DecodedEvent>(applied, known), succeeded };
      this.#logs.set(log, folded);
      this.#watchStaleness(folded);
    }
  }

  get state(): S {
    return this.#state;
  }

  get quarantine(): Quarantine {
    return this.#quarantine;
  }

  /** An event, good or bad, at its place in a log. `hostId` says whose log it is; undefined for CONTROL. */
  offer(log: string, hostId: string | undefined, sequence: number, decoded: DecodedEvent): void {
    const folded = this.#logOf(log, hostId);
    folded.progress.offer(sequence, decoded, (item, at) => this.#apply(log, at, item));
    this.#watchStaleness(folded);
  }

  /** A sequence of a log exists, whatever stands there. */
  notice(log: string, hostId: string | undefined, sequence: number): void {
    const folded = this.#logOf(log, hostId);
    folded.progress.notice(sequence);
    this.#watchStaleness(folded);
  }

  /** Gives up what stands before `sequence` in a log: nobody has it. The gap is quarantined as one. */
  giveUpBefore(log: string, sequence: number, detail: string): void {
    const folded = this.#logs.get(log);
    if (folded === undefined || sequence <= folded.progress.applied + 1) return;
    this.#setAside({ log, sequence: folded.progress.applied + 1, reason: "missing", detail, subject: "" });
    folded.progress.skipTo(sequence, (item, at) => this.#apply(log, at, item));
    this.#watchStaleness(folded);
  }

  /** The last sequence of a log that the state includes; 0 for an unknown log. */
  appliedOf(log: string): number {
    return this.#logs.get(log)?.progress.applied ?? 0;
  }

  position(): Position {
    return Object.fromEntries([...this.#logs].map(([log, { progress }]) => [log, progress.applied]));
  }

  /** Whether the state includes a position. Of a log that was succeeded nothing more will come: the new one includes it. */
  includes(position: Position): boolean {
    return Object.entries(position).every(([log, sequence]) => {
      const folded = this.#logs.get(log);
      return folded !== undefined && (folded.succeeded || folded.progress.applied >= sequence);
    });
  }

  /** How far the state is behind a log, as far as anybody has told; undefined when it is not. */
  staleLog(log: string): StaleLog | undefined {
    const folded = this.#logs.get(log);
    if (folded?.staleSinceMs === undefined) return undefined;
    const { hostId, progress, staleSinceMs } = folded;
    const { applied, known } = progress;
    return { log, ...(hostId === undefined ? {} : { hostId }), applied, known, sinceMs: staleSinceMs };
  }

  staleLogs(): StaleLog[] {
    return [...this.#logs.keys()].flatMap((log) => this.staleLog(log) ?? []);
  }

  /** Whose log it is; undefined for CONTROL and for a log not heard of. */
  ownerOf(log: string): string | undefined {
    return this.#logs.get(log)?.hostId;
  }

  toJson(): SavedLogFold {
    const logs = [...this.#logs].map(([log, { hostId, progress, succeeded }]) => {
      const { applied, known } = progress;
      return { log, ...(hostId === undefined ? {} : { hostId }), applied, known, succeeded };
    });
    const { events, count: quarantineCount } = this.#quarantine;
    return { logs, quarantined: [...events], quarantineCount, state: this.#fold.toJson(this.#state) };
  }

  #logOf(log: string, hostId: string | undefined): FoldedLog {
    let folded = this.#logs.get(log);
    if (folded === undefined) {
      folded = { hostId, progress: new LogProgress(), succeeded: false };
      this.#logs.set(log, folded);
    }
    return folded;
  }

  #apply(log: string, sequence: number, decoded: DecodedEvent): void {
    if (decoded.kind === "bad") {
      this.#setAside(quarantinedAt(log, sequence, decoded));
      return;
    }
    const { event } = decoded;
    try {
      this.#state = this.#fold.evolve(this.#state, event);
    } catch (thrown) {
      const { subject, type } = event;
      this.#setAside({ log, sequence, reason: "evolve_failed", detail: String(thrown), subject, type });
      return;
    }
    this.#learnOfLogs(event);
    this.#listener.applied(event);
  }

  #learnOfLogs(event: RecordedEvent): void {
    if (event.type === "HostRegistered") this.#logOf(event.data.logId, event.data.hostId);
    if (event.type !== "HostLogOpened" || event.data.previous === undefined) return;
    const owner = this.ownerOf(event.log);
    const before = this.#logOf(event.data.previous.logId, owner);
    if (before.hostId !== owner) return;
    before.succeeded = true;
    this.#watchStaleness(before);
  }

  #setAside(event: QuarantinedEvent): void {
    this.#quarantine.add(event);
    this.#listener.quarantined(event);
  }

  #watchStaleness(folded: FoldedLog): void {
    if (folded.succeeded || !folded.progress.isBehind) delete folded.staleSinceMs;
    else folded.staleSinceMs ??= this.#clock.nowMs();
  }
}
