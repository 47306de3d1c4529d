import type { Clock, Deadline, Refusal, Result } from "#kernel";

/** Nobody tells when what stood in the way is over. */
const PAUSE_MS = 250;

/** Nobody listens: one who is restarted is back in a moment. */
export function isUnreachable({ code }: Refusal): boolean {
  return code === "unreachable";
}

export interface Insistence {
  readonly clock: Clock;
  /** The last question ends by then. */
  readonly deadline: Deadline;
  /** How long one question waits for its answer. */
  readonly tryMs: number;
  /** Whether to ask again after that refusal too. Silence is never taken for one. */
  readonly isPassing: (reason: Refusal) => boolean;
}

/**
 * Asks the same question until somebody answers it or the deadline passes: silence is not refusal, and one who was killed
 * in the middle comes back. Only for what is idempotent. `ask` is given the time that one question may take.
 */
export async function insist<T>(
  ask: (deadlineMs: number) => Promise<Result<T>>,
  { clock, deadline, tryMs, isPassing }: Insistence,
): Promise<Result<T>> {
  for (;;) {
    const result = await ask(Math.max(1, Math.min(tryMs, deadline.remainingMs())));
    if (result.kind === "answer" || deadline.passed()) return result;
    if (result.refusal.code === "deadline_exceeded") continue;
    if (!isPassing(result.refusal)) return result;
    await clock.sleep(Math.min(PAUSE_MS, deadline.remainingMs()));
  }
}
