import { type Clock, outcomeOfError, type StepOutcome } from "#kernel";
import type { Effect, StepContext } from "./effect.ts";

/** How long an effect may take to end after its signal fired, before nobody listens to it any more. */
const ABORT_GRACE_MS = 2_000;

/** Why nobody need watch the time any more. Given, as the reason that is made up otherwise is an error with its stack. */
const ENDED = "the attempt has ended";

/** What a cancelled operation's current step comes to. */
export const CANCELLED: StepOutcome = {
  kind: "terminal",
  error: { code: "cancelled", message: "the operation was cancelled" },
};

/** What an attempt is made of. `earlier` is an attempt on the same subject whose effect has not ended yet. */
export interface AttemptWork {
  readonly effect: Effect;
  readonly context: Omit<StepContext, "signal">;
  readonly delayMs: number;
  readonly earlier: Promise<unknown> | undefined;
}

/** The reason that the signal carries. Without an `outcome` nothing is to be recorded. */
class GivenUp extends Error {
  readonly outcome: StepOutcome | undefined;

  constructor(outcome: StepOutcome | undefined) {
    super(outcome === undefined || outcome.kind === "completed" ? "stopped" : outcome.error.message);
    this.name = "AbortError";
    this.outcome = outcome;
  }
}

/** One attempt of one step: an effect against its deadline, and against whoever gives it up. */
export class Attempt {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  #ended: Promise<unknown> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Fires the effect's signal. `outcome` is what the attempt then comes to. */
  giveUp(outcome: StepOutcome | undefined): void {
    this.#abort.abort(new GivenUp(outcome));
  }

  /** Settles when nothing of the attempt is at work any more, which may be long after `run` did. */
  get ended(): Promise<unknown> | undefined {
    return this.#ended;
  }

  /** Resolves to what the attempt came to, or to undefined when it was given up without an outcome. Never rejects. */
  async run(work: AttemptWork): Promise<StepOutcome | undefined> {
    const { signal } = this.#abort;
    if (work.delayMs > 0) await this.#clock.sleep(work.delayMs, signal).catch(() => {});
    if (signal.aborted) return this.#verdict(undefined);
    let said: StepOutcome | undefined;
    const performed = this.#perform(work).then((outcome) => {
      said = outcome;
    });
    this.#ended = Promise.all([performed, work.earlier]);
    const timer = new AbortController();
    this.#expire(work.context.step.timeoutMs, work.context.step.name, timer.signal);
    await Promise.race([performed, fired(signal)]);
    if (said === undefined) {
      await Promise.race([performed, this.#clock.sleep(ABORT_GRACE_MS, timer.signal).catch(() => {})]);
    }
    timer.abort(ENDED);
    return this.#verdict(said);
  }

  /** Attempts on one subject never overlap: an effect that ignored its deadline keeps the next one waiting. */
  async #perform(work: AttemptWork): Promise<StepOutcome> {
    const { signal } = this.#abort;
    try {
      if (work.earlier !== undefined) await Promise.race([work.earlier, fired(signal)]);
      signal.throwIfAborted();
      return { kind: "completed", output: await work.effect({ ...work.context, signal }) };
    } catch (thrown) {
      return outcomeOfError(thrown);
    }
  }

  #expire(timeoutMs: number, step: string, signal: AbortSignal): void {
    const message = `${step} did not end within ${timeoutMs} ms`;
    this.#clock.sleep(timeoutMs, signal).then(
      () => this.giveUp({ kind: "retry", error: { code: "deadline_exceeded", message } }),
      () => {},
    );
  }

  /** A deadline gives way to an effect that did end, if only just; a cancellation does not. */
  #verdict(said: StepOutcome | undefined): StepOutcome | undefined {
    if (!this.#abort.signal.aborted) return said;
    const { outcome } = this.#abort.signal.reason as GivenUp;
    return outcome?.kind === "retry" && said !== undefined && said.kind !== "retry" ? said : outcome;
  }
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
