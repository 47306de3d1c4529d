/**
 * A typed "no", given as a value. `message` is one line that says what to do; `code` is stable and is what
 * programs switch on. Exceptions, by contrast, are bugs or broken worlds.
 */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  /** How long to wait before the same command may succeed, when that is known. */
  readonly retryAfterMs?: number;
  /** What the decision saw: sizes, states, the holder of a port. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export const REFUSAL_CODES = [
  "not_found",
  "already_exists",
  "name_taken",
  "invalid",
  "wrong_state",
  "busy",
  "quarantined",
  "version_mismatch",
  "insufficient_capacity",
  "port_taken",
  "cordoned",
  "reservation_expired",
  "stale_epoch",
  "unsupported",
  "deadline_exceeded",
  "unreachable",
  "unauthorized",
  "forbidden",
  "rate_limited",
  "volume_not_found",
  "volume_in_use",
  "storage_suspect",
  "image_not_found",
  "image_invalid",
  "disk_full",
  "cancelled",
  "effect_failed",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Makes a refusal. */
export function refusal(
  code: RefusalCode,
  message: string,
  more: Omit<Refusal, "code" | "message"> = {},
): Refusal {
  return { code, message, ...more };
}

/** Carries a refusal through code that can only throw: HTTP handlers, effects behind a port. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(reason: Refusal) {
    super(reason.message);
    this.name = "RefusedError";
    this.refusal = reason;
  }
}
