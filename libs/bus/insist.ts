import type { Clock, Deadline, Result } from "#kernel";

/** Nobody tells when an answerer is back. */
const UNREACHABLE_PAUSE_MS = 250;

export interface Insistence {
  readonly clock: Clock;
  /** The last question ends by then. */
  readonly deadline: Deadline;
  /** How long one question waits for its answer. */
  readonly tryMs: number;
  /** Also ask again where nobody listens: one who is restarted is back in a moment. */
  readonly whileUnreachable: boolean;
}

/**
 * Asks the same question until somebody answers it or the deadline passes: silence is not refusal, and one who was killed
 * in the middle comes back. Only for what is idempotent. `ask` is given the time that one question may take.
 */
export async function insist<T>(
  ask: (deadlineMs: number) => Promise<Result<T>>,
  { clock, deadline, tryMs, whileUnreachable }: Insistence,
): Promise<Result<T>> {
  for (;;) {
    const result = await ask(Math.max(1, Math.min(tryMs, deadline.remainingMs())));
    if (result.kind === "answer" || deadline.passed()) return result;
    const { code } = result.refusal;
    if (code === "unreachable" && whileUnreachable) await clock.sleep(UNREACHABLE_PAUSE_MS);
    else if (code !== "deadline_exceeded") return result;
  }
}
