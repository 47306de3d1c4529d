import { type AnswerOf, type CallMeta, hostCalls, type RequestOf, schedulerCalls } from "#contracts";
import type { FleetReconciler, HeldEvent } from "#event-log";
import type { ControlCommands } from "#fleet";
import type { Clock } from "#kernel";

export type Registration = RequestOf<typeof schedulerCalls.register>;
export type Verdict = AnswerOf<typeof schedulerCalls.register>;
export type TailRequest = RequestOf<typeof schedulerCalls.tail>;
export type Tail = AnswerOf<typeof hostCalls.events>;

/** What the hub holds of hosts' logs. */
export interface Holdings {
  last(log: { hostId: string; logId: string }): Promise<HeldEvent | undefined>;
  from(log: { hostId: string; logId: string }, sequence: number, limit: number): Promise<HeldEvent[]>;
  idOf(event: HeldEvent | undefined): string;
}

/**
 * Takes note of a host and of the log that it writes, and tells it what the hub holds of that log: an agent whose log was
 * restored from a backup or lost its end must not write under the old log's id (design "Traps already met").
 */
export class RegisterHost {
  readonly #control: ControlCommands;
  readonly #reconciler: FleetReconciler;
  readonly #holdings: Holdings;
  readonly #clock: Clock;

  constructor(control: ControlCommands, reconciler: FleetReconciler, holdings: Holdings, clock: Clock) {
    this.#control = control;
    this.#reconciler = reconciler;
    this.#holdings = holdings;
    this.#clock = clock;
  }

  async run(registration: Registration, meta: CallMeta): Promise<Verdict> {
    const verdict = await this.#compare(registration);
    // A log that is not a continuation of what is known here is not sourced: its host opens a new one first.
    if (verdict.verdict !== "ok") return verdict;
    const { lastSequence: _, lastEventId: __, ...described } = registration;
    await this.#control.execute({ type: "RegisterHost", ...described, atMs: this.#clock.nowMs() }, meta);
    await this.#reconciler.reconcile();
    return verdict;
  }

  /** What the hub holds of a log after a sequence. */
  async tail({ hostId, logId, fromSequence, limit }: TailRequest): Promise<Tail> {
    const log = { hostId, logId };
    const [events, last] = await Promise.all([
      this.#holdings.from(log, fromSequence, limit),
      this.#holdings.last(log),
    ]);
    return { events, lastSequence: last?.sequence ?? 0 };
  }

  async #compare({ hostId, logId, lastSequence, lastEventId }: Registration): Promise<Verdict> {
    const log = { hostId, logId };
    const last = await this.#holdings.last(log);
    const hubSequence = last?.sequence ?? 0;
    if (hubSequence <= lastSequence) {
      const hubEventId = this.#holdings.idOf(last);
      const isOther = hubSequence === lastSequence && hubEventId !== lastEventId;
      return { verdict: isOther ? "diverged" : "ok", hubSequence, hubEventId };
    }
    const [same] = lastSequence === 0 ? [] : await this.#holdings.from(log, lastSequence, 1);
    const hubEventId = this.#holdings.idOf(same);
    const isPrefix = lastSequence === 0 || hubEventId === lastEventId;
    return { verdict: isPrefix ? "behind" : "diverged", hubSequence, hubEventId };
  }
}
