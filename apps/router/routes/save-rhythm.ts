import type { Clock } from "#kernel";

const LEAST_PAUSE_MS = 1_000;
/** A save may take this part of the time at the most: a large fleet is saved less often. */
const SHARE = 1 / 50;

/** When to save what changes all the time: soon, because a router may be killed, but never so often that it costs. */
export class SaveRhythm {
  readonly #clock: Clock;
  #isChanged = false;
  #isSaving = false;
  #nextAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  changed(): void {
    this.#isChanged = true;
  }

  /** Calls `save`, which never rejects, when something changed and the last time is long enough ago. */
  saveIfDue(save: () => Promise<void>): void {
    const startMs = this.#clock.monotonicMs();
    if (!this.#isChanged || this.#isSaving || startMs < this.#nextAtMs) return;
    this.#isChanged = false;
    this.#isSaving = true;
    void save().then(() => {
      const endMs = this.#clock.monotonicMs();
      this.#nextAtMs = endMs + Math.max(LEAST_PAUSE_MS, (endMs - startMs) / SHARE);
      this.#isSaving = false;
    });
  }
}
