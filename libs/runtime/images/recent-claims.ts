import type { Clock } from "#kernel";

/**
 * How long an image that was pulled is kept without a reason: by then its puller has written down that it needs it, or
 * never will.
 */
export const CLAIM_MS = 60_000;

/** The images that were pulled just now. */
export class RecentClaims {
  readonly #clock: Clock;
  readonly #claimedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(digest: string): void {
    this.#claimedAtMs.set(digest, this.#clock.monotonicMs());
  }

  has(digest: string): boolean {
    const claimedAtMs = this.#claimedAtMs.get(digest);
    if (claimedAtMs === undefined) return false;
    const isRecent = this.#clock.monotonicMs() - claimedAtMs < CLAIM_MS;
    if (!isRecent) this.#claimedAtMs.delete(digest);
    return isRecent;
  }
}
