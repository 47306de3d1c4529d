import type { NatsConnection } from "@nats-io/transport-node";
import { type AnswerOf, type DecodedEvent, type hostCalls, type RequestOf, subjects } from "#contracts";
import type { Clock } from "#kernel";
import type { LogFold, StaleLog } from "./log-fold.ts";
import { decodeOfLog, mayBeDamaged, placedInFleet } from "./placed-event.ts";
import { readStream } from "./read-stream.ts";
import { FLEET } from "./stream-names.ts";

const PAGE = 500;
/** Then it is another log's turn. */
const MAX_PAGES = 20;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;

/** Puts `hostCalls.events` to the host that owns a log. Rejects when it refuses or no answer comes in time. */
export type AskOwner = (
  hostId: string,
  question: RequestOf<typeof hostCalls.events>,
) => Promise<AnswerOf<typeof hostCalls.events>>;

export interface GapRepairSettings {
  readonly nc: NatsConnection;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Resolves when FLEET was read once: until then nothing is missing, it just has not come yet. */
  readonly caughtUp: Promise<void>;
  readonly fold: () => LogFold<unknown>;
  /** Per log, FLEET's own sequence up to which everything of that log was folded. Kept up to date. */
  readonly fleetSequences: Map<string, number>;
  readonly askOwner: AskOwner | undefined;
  /** A promise says that no more can be taken before it resolves. */
  readonly room: () => Promise<void> | undefined;
}

/**
 * Closes gaps in hosts' logs (F06, F16): first from FLEET, whose copy may only have been passed over, then from the owner.
 * One log at a time, with growing pauses, so that an outage is not followed by a storm of questions (F04).
 */
export class GapRepair {
  readonly #settings: GapRepairSettings;
  /** Logs with a repair under way or scheduled. */
  readonly #wanted = new Set<string>();
  #turn: Promise<void> = Promise.resolve();

  constructor(settings: GapRepairSettings) {
    this.#settings = settings;
  }

  /** Repairs a log, after `delayMs`, until it has no gap. */
  want(log: string, delayMs: number): void {
    if (this.#wanted.has(log)) return;
    this.#wanted.add(log);
    void this.#keepRepairing(log, delayMs).finally(() => this.#wanted.delete(log));
  }

  async #keepRepairing(log: string, delayMs: number): Promise<void> {
    const { clock, signal, caughtUp } = this.#settings;
    await caughtUp;
    let pauseMs = FIRST_PAUSE_MS;
    await clock.sleep(delayMs, signal).catch(() => undefined);
    for (let gap = this.#gapOf(log); gap !== undefined && !signal.aborted; gap = this.#gapOf(log)) {
      // Failures need no report: the log stays stale, says so, and is tried again.
      const turn = this.#turn.then(() => this.#repair(log)).catch(() => undefined);
      this.#turn = turn;
      await turn;
      const after = this.#gapOf(log);
      if (after === undefined) return;
      pauseMs = after.applied > gap.applied ? FIRST_PAUSE_MS : Math.min(LAST_PAUSE_MS, pauseMs * 2);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  async #repair(log: string): Promise<void> {
    const damaged = new Map<number, DecodedEvent>();
    await this.#readFleet(log, damaged);
    await this.#readOwner(log, damaged).catch(() => undefined);
    // Nobody has a better copy: what is left is bad for good, and the others apply (I10).
    const sequences = [...damaged.keys()].sort((a, b) => a - b);
    for (const sequence of sequences) this.#offer(log, sequence, damaged.get(sequence)!);
  }

  async #readFleet(log: string, damaged: Map<number, DecodedEvent>): Promise<void> {
    const gap = this.#gapOf(log);
    if (gap === undefined) return;
    const { nc, fold, fleetSequences, signal, room } = this.#settings;
    const options = {
      filter: subjects.hostLog(gap.hostId),
      fromSequence: (fleetSequences.get(log) ?? 0) + 1,
    };
    for await (const message of readStream(nc, FLEET, options)) {
      const placed = placedInFleet(message, (logId) => fold().ownerOf(logId));
      if (placed?.logId !== log) continue;
      this.#take(log, placed.sequence, placed.decoded, damaged);
      if (fold().appliedOf(log) >= placed.sequence) fleetSequences.set(log, message.seq);
      if (room() !== undefined) await room();
      if (signal.aborted || this.#gapOf(log) === undefined) return;
    }
  }

  async #readOwner(log: string, damaged: Map<number, DecodedEvent>): Promise<void> {
    const { askOwner, fold, room } = this.#settings;
    if (askOwner === undefined) return;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      await room();
      const gap = this.#gapOf(log);
      if (gap === undefined) return;
      const { hostId } = gap;
      const question = { logId: log, fromSequence: gap.applied + 1, limit: PAGE };
      const { events } = await askOwner(hostId, question);
      const first = events[0];
      if (first === undefined) return;
      for (const { subject, headers, body, sequence } of events) {
        const stored = {
          subject,
          header: (name: string) => headers[name],
          body: Buffer.from(body),
          sequence,
        };
        this.#take(log, sequence, decodeOfLog({ hostId, logId: log }, stored), damaged);
      }
      fold().giveUpBefore(log, first.sequence, `host ${hostId} has nothing before ${first.sequence} either`);
      if ((this.#gapOf(log)?.applied ?? 0) === gap.applied) return;
    }
  }

  #take(log: string, sequence: number, decoded: DecodedEvent, damaged: Map<number, DecodedEvent>): void {
    if (mayBeDamaged(decoded)) damaged.set(sequence, decoded);
    else this.#offer(log, sequence, decoded);
  }

  #offer(log: string, sequence: number, decoded: DecodedEvent): void {
    const gap = this.#gapOf(log);
    if (gap !== undefined) this.#settings.fold().offer(log, gap.hostId, sequence, decoded);
  }

  #gapOf(log: string): (StaleLog & { readonly hostId: string }) | undefined {
    const stale = this.#settings.fold().staleLog(log);
    return stale?.hostId === undefined ? undefined : { ...stale, hostId: stale.hostId };
  }
}
