import { RefusedError, refusal } from "#kernel";

/**
 * What an append can fail with. Each is a refusal too, so that whoever waits for the answer is told something typed.
 * In none of them was anything written that the caller was told had been.
 */

/** Another writer stands where we would write, or the log is not the one we opened: this writer is done (I1, F19). */
export class FencedError extends RefusedError {
  constructor(detail: string) {
    super(refusal("unreachable", `this agent may not write the host's log any more: ${detail}`));
    this.name = "FencedError";
  }
}

/** There is no room for the log. Nothing was written; the same command may succeed when there is room (F34). */
export class LogFullError extends RefusedError {
  constructor(detail: string) {
    super(refusal("disk_full", `the host's log has no room: ${detail}`, { retryAfterMs: 5_000 }));
    this.name = "LogFullError";
  }
}

/** The log takes nothing at present: too much is waiting, the server said no, or it was closed. */
export class LogUnavailableError extends RefusedError {
  constructor(detail: string) {
    super(
      refusal("unreachable", `the host's log takes nothing at present: ${detail}`, { retryAfterMs: 1_000 }),
    );
    this.name = "LogUnavailableError";
  }
}
