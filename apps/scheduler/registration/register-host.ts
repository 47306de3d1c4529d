import type { AnswerOf, CallMeta, hostCalls, RequestOf, schedulerCalls } from "#contracts";
import { type FleetReconciler, hostStream } from "#event-log";
import type { ControlCommands } from "#fleet";
import { type Clock, RefusedError, refusal } from "#kernel";
import { type Holdings, type Verdict, verdictOn } from "./verdict.ts";

export type Registration = RequestOf<typeof schedulerCalls.register>;
export type TailRequest = RequestOf<typeof schedulerCalls.tail>;
export type Tail = AnswerOf<typeof hostCalls.events>;

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
    assertOwnLog(registration);
    const verdict = await verdictOn(registration, this.#holdings);
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
}

/** FLEET will source what is registered: a host names its own log, on its own leaf, and no other. */
function assertOwnLog({ hostId, logId, stream, domain }: Registration): void {
  if (stream === hostStream(hostId, logId) && domain === hostId) return;
  throw new RefusedError(
    refusal("forbidden", `stream ${stream} of ${domain} is not a log of host ${hostId}`),
  );
}
